import * as handlers from './handlers.ts';
import type { Handler } from './handlers.ts';
import type { S3Request } from './request.ts';
import { S3Error } from './s3-error.ts';

/** Sub-resources this server does not have; asking for one must not read or write the object itself. */
const missing = [
  'acl',
  'cors',
  'encryption',
  'legal-hold',
  'lifecycle',
  'notification',
  'object-lock',
  'policy',
  'replication',
  'retention',
  'select',
  'tagging',
  'versioning',
  'versions',
  'website',
];

/** The handler of a request, by what it addresses, its method and its sub-resource. */
export function route(request: S3Request): Handler {
  const { method, bucket, key, query } = request;
  const sub = missing.find((name) => query.has(name));
  if (sub) throw new S3Error('NotImplemented', `The sub-resource ${sub} is not offered.`);
  const handler =
    bucket === ''
      ? method === 'GET'
        ? handlers.listBuckets
        : undefined
      : key === ''
        ? ofBucket(method, query)
        : ofObject(request);
  if (!handler) throw new S3Error('MethodNotAllowed');
  return handler;
}

function ofBucket(method: string, query: URLSearchParams): Handler | undefined {
  if (method === 'POST') return query.has('delete') ? handlers.deleteObjects : undefined;
  if (method === 'GET' && query.has('uploads')) return handlers.listUploads;
  if (method === 'GET' && query.has('location')) return handlers.bucketLocation;
  return {
    GET: handlers.listBucket,
    HEAD: handlers.headBucket,
    PUT: handlers.createBucket,
    DELETE: handlers.deleteBucket,
  }[method];
}

function ofObject({ incoming, method, query }: S3Request): Handler | undefined {
  if (query.has('uploadId'))
    return {
      GET: handlers.listParts,
      PUT: handlers.putPart,
      POST: handlers.completeUpload,
      DELETE: handlers.abortUpload,
    }[method];
  if (method === 'POST') return query.has('uploads') ? handlers.initiateUpload : undefined;
  if (method === 'PUT' && incoming.headers['x-amz-copy-source']) return handlers.copyObject;
  return {
    GET: handlers.getObject,
    HEAD: handlers.getObject,
    PUT: handlers.putObject,
    DELETE: handlers.deleteObject,
  }[method];
}
