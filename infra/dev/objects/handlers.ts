import { readCondition } from './conditions.ts';
import { receive } from './files.ts';
import { listObjects } from './list.ts';
import type { Multipart } from './multipart.ts';
import { largestPut, parseTarget, readXml, receiveBody, storedHeaders, type S3Request } from './request.ts';
import { objectHeaders, type Answer } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { ObjectStore } from './store.ts';
import { elements, toXml, unescapeXml } from './xml.ts';

export interface Services {
  readonly store: ObjectStore;
  readonly multipart: Multipart;
  readonly region: string;
}

export type Handler = (services: Services, request: S3Request) => Promise<Answer> | Answer;

const owner = { ID: 'agentstore', DisplayName: 'agentstore' };
const quoted = (etag: string): string => `"${etag}"`;
const xml = (root: string, content: Parameters<typeof toXml>[1]): Answer => ({
  status: 200,
  body: toXml(root, content),
});

export const listBuckets: Handler = ({ store }) =>
  xml('ListAllMyBucketsResult', {
    Owner: owner,
    Buckets: {
      Bucket: store.buckets().map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt })),
    },
  });

export const createBucket: Handler = async ({ store }, request) => {
  await readXml(request);
  await store.createBucket(request.bucket);
  return { status: 200, headers: { location: `/${request.bucket}` } };
};

export const headBucket: Handler = ({ store, region }, { bucket }) => {
  store.bucket(bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': region } };
};

export const deleteBucket: Handler = async ({ store }, { bucket }) => {
  await store.deleteBucket(bucket);
  return { status: 204 };
};

export const bucketLocation: Handler = ({ store, region }, { bucket }) => {
  store.bucket(bucket);
  return xml('LocationConstraint', region === 'us-east-1' ? '' : region);
};

/** Both list versions: they differ in how a page is asked for and how the next one is named. */
export const listBucket: Handler = ({ store }, { bucket, query }) => {
  const two = query.get('list-type') === '2';
  const maxKeys = Math.min(Number(query.get('max-keys') ?? 1_000), 1_000);
  if (!Number.isInteger(maxKeys) || maxKeys < 0) throw new S3Error('InvalidArgument', 'max-keys');
  const token = query.get('continuation-token');
  const after = two
    ? token === null
      ? (query.get('start-after') ?? '')
      : Buffer.from(token, 'base64url').toString('utf8')
    : (query.get('marker') ?? '');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const page = listObjects(store.bucket(bucket).objects.values(), { prefix, delimiter, after, maxKeys });
  const encoding = query.get('encoding-type') ?? undefined;
  const name = (text: string): string =>
    encoding === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
  return xml('ListBucketResult', {
    Name: bucket,
    Prefix: name(prefix),
    Delimiter: delimiter ? name(delimiter) : undefined,
    MaxKeys: maxKeys,
    EncodingType: encoding,
    IsTruncated: page.isTruncated,
    ...(two
      ? {
          KeyCount: page.objects.length + page.commonPrefixes.length,
          ContinuationToken: token ?? undefined,
          NextContinuationToken: page.isTruncated ? Buffer.from(page.last).toString('base64url') : undefined,
        }
      : { Marker: name(after), NextMarker: page.isTruncated ? name(page.last) : undefined }),
    Contents: page.objects.map((object) => ({
      Key: name(object.key),
      LastModified: object.lastModified,
      ETag: quoted(object.etag),
      Size: object.size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: page.commonPrefixes.map((prefixed) => ({ Prefix: name(prefixed) })),
  });
};

export const deleteObjects: Handler = async ({ store }, request) => {
  store.bucket(request.bucket);
  const text = await readXml(request);
  const keys = elements(text, 'Object').map((object) => unescapeXml(elements(object, 'Key')[0] ?? ''));
  if (keys.length === 0 || keys.length > 1_000 || keys.includes('')) throw new S3Error('MalformedXML');
  for (const key of keys) await store.remove(request.bucket, key);
  const quiet = elements(text, 'Quiet')[0] === 'true';
  return xml('DeleteResult', { Deleted: quiet ? [] : keys.map((key) => ({ Key: key })) });
};

export const putObject: Handler = async ({ store }, request) => {
  store.bucket(request.bucket);
  const received = await receiveBody(request, store.dataDirectory(request.bucket));
  const object = await store.commit(request.bucket, request.key, {
    received,
    headers: storedHeaders(request),
    onlyIfAbsent: request.incoming.headers['if-none-match'] !== undefined,
  });
  return { status: 200, headers: { etag: quoted(object.etag) } };
};

export const copyObject: Handler = async ({ store }, request) => {
  store.bucket(request.bucket);
  const named = String(request.incoming.headers['x-amz-copy-source']);
  const from = parseTarget(named.startsWith('/') ? named : `/${named}`);
  const { object: source, handle } = await store.open(from.bucket, from.key);
  const replace = request.incoming.headers['x-amz-metadata-directive'] === 'REPLACE';
  const directory = store.dataDirectory(request.bucket);
  // The stream closes the handle.
  const received = await receive(handle.createReadStream() as AsyncIterable<Buffer>, {
    directory,
    maxBytes: largestPut,
  });
  const object = await store.commit(request.bucket, request.key, {
    received,
    headers: replace ? storedHeaders(request) : source.headers,
  });
  return xml('CopyObjectResult', { LastModified: object.lastModified, ETag: quoted(object.etag) });
};

export const getObject: Handler = async ({ store }, { incoming, bucket, key, query }) => {
  const { object, handle } = await store.open(bucket, key);
  try {
    const headers = objectHeaders(object, query);
    if (readCondition(incoming.headers, object) === 'send')
      return { object, handle, headers, range: incoming.headers.range };
    await handle.close();
    return { status: 304, headers: { etag: quoted(object.etag) } };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

export const deleteObject: Handler = async ({ store }, { bucket, key }) => {
  store.bucket(bucket);
  await store.remove(bucket, key);
  return { status: 204 };
};

export const listUploads: Handler = async ({ multipart }, { bucket, query }) => {
  const prefix = query.get('prefix') ?? '';
  const uploads = (await multipart.uploads(bucket)).filter((upload) => upload.key.startsWith(prefix));
  return xml('ListMultipartUploadsResult', {
    Bucket: bucket,
    Prefix: prefix,
    MaxUploads: 1_000,
    IsTruncated: false, // the minio client fails on an answer without it
    Upload: uploads.map((upload) => ({
      Key: upload.key,
      UploadId: upload.id,
      Initiated: upload.initiated,
      StorageClass: 'STANDARD',
    })),
  });
};

export const initiateUpload: Handler = async ({ multipart }, request) => {
  const upload = await multipart.initiate(request.bucket, request.key, storedHeaders(request));
  return xml('InitiateMultipartUploadResult', {
    Bucket: request.bucket,
    Key: request.key,
    UploadId: upload.id,
  });
};

const uploadId = (request: S3Request): string => request.query.get('uploadId') ?? '';

export const putPart: Handler = async ({ multipart }, request) => {
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new S3Error('InvalidArgument', 'partNumber must be 1 to 10000.');
  if (request.incoming.headers['x-amz-copy-source'])
    throw new S3Error('NotImplemented', 'Parts cannot be copied from other objects.');
  const { bucket, key } = request;
  const id = uploadId(request);
  const received = await receiveBody(request, await multipart.partDirectory(bucket, key, id));
  await multipart.putPart({ bucket, key, id, number, received });
  return { status: 200, headers: { etag: quoted(received.md5) } };
};

export const listParts: Handler = async ({ multipart }, request) => {
  const marker = Number(request.query.get('part-number-marker') ?? 0);
  const parts = (await multipart.parts(request.bucket, request.key, uploadId(request))).filter(
    (part) => part.number > marker,
  );
  const page = parts.slice(0, 1_000);
  return xml('ListPartsResult', {
    Bucket: request.bucket,
    Key: request.key,
    UploadId: uploadId(request),
    MaxParts: 1_000,
    IsTruncated: parts.length > page.length,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: part.lastModified,
      ETag: quoted(part.etag),
      Size: part.size,
    })),
  });
};

export const completeUpload: Handler = async ({ multipart }, request) => {
  const wanted = elements(await readXml(request), 'Part').map((part) => ({
    number: Number(elements(part, 'PartNumber')[0]),
    etag: unescapeXml(elements(part, 'ETag')[0] ?? '').replaceAll('"', ''),
  }));
  const { bucket, key } = request;
  const object = await multipart.complete({ bucket, key, id: uploadId(request), wanted });
  return xml('CompleteMultipartUploadResult', {
    Location: `/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(object.etag),
  });
};

export const abortUpload: Handler = async ({ multipart }, request) => {
  await multipart.abort(request.bucket, request.key, uploadId(request));
  return { status: 204 };
};
