import { createHash } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { organizationScope, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { toolIdOf } from '@agentstore/kernel/connector-definition';
import { withDeadline } from '@agentstore/kernel/deadline';
import { UnavailableError } from '@agentstore/kernel/service-client';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import { requiredConnectors } from '../connectors/required-connectors.ts';
import type { Room } from '../deps.ts';
import { schemaFault } from './config-schema.ts';
import { artifactFaults, artifactLimits } from './flow-artifact.ts';
import {
  insertDraft,
  markPublished,
  offeringBy,
  versionById,
  type Offering,
  type OfferingVersion,
} from './offerings.store.ts';

export type OfferingVersionRefusal = Refusal & {
  readonly code:
    | 'OFFERING_NOT_FOUND'
    | 'VERSION_NOT_FOUND'
    | 'VERSION_IMMUTABLE'
    | 'ARTIFACT_MISSING'
    | 'ARTIFACT_MISMATCH'
    | 'ARTIFACT_REFUSED'
    | 'INVALID_INPUT';
};

const uploadSeconds = 900;

/** For two megabytes to or from storage that answers. */
const storageDeadlineMs = 5_000;

/**
 * A presigned address outlives the check of what was put there, so the checked bytes are stored once more, where nobody was given an address. What
 * stays under `uploads/` is waste that the bucket's lifecycle rule may end.
 */
const uploadKey = (slug: string, draft: { version: string; sha256: string }): string =>
  `uploads/${publishedKey(slug, draft)}`;
const publishedKey = (slug: string, draft: { version: string; sha256: string }): string =>
  `${slug}/${draft.version}/${draft.sha256}.json`;

const invalid = (field: string, message: string) =>
  refused<OfferingVersionRefusal>({ code: 'INVALID_INPUT', message, field });

/** The scope of an offering's publisher, when the caller may publish there. */
function publisherScope(caller: Caller, offering: Offering | undefined): Scope | undefined {
  return offering?.publisherOrganizationId
    ? organizationScope(caller, offering.publisherOrganizationId, 'offering:publish')
    : undefined;
}

/** Makes a draft and answers a presigned PUT for its artifact; the bytes never pass through us. */
export async function uploadOfferingVersion(
  { db, objects, artifactBucket }: Room,
  caller: Caller,
  input: {
    offeringId: Uuid | undefined;
    version: string;
    sha256: string;
    sizeBytes: number;
    configSchema: object;
    requiredConnectors: unknown;
    readScope: Scope;
  },
): Promise<Outcome<{ version: OfferingVersion; uploadUrl: string }, OfferingVersionRefusal>> {
  if (!/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(input.version))
    return invalid('version', 'version must be 1 to 64 letters, digits, dots, plus and minus signs.');
  if (!/^[0-9a-f]{64}$/.test(input.sha256))
    return invalid('sha256', 'sha256 must be 64 lower-case hex digits.');
  if (input.sizeBytes < 1 || input.sizeBytes > artifactLimits.maxBytes)
    return invalid('sizeBytes', `sizeBytes must be between 1 and ${artifactLimits.maxBytes}.`);
  if (typeof input.configSchema !== 'object' || Array.isArray(input.configSchema))
    return invalid('configSchema', 'configSchema must be an object.');
  const schemaProblem = schemaFault(input.configSchema as Readonly<Record<string, unknown>>);
  if (schemaProblem) return invalid('configSchema', `${schemaProblem}.`);
  const required = requiredConnectors.safeParse(input.requiredConnectors);
  if (!required.success) {
    const { path, message } = required.error.issues[0]!;
    return invalid('requiredConnectors', `${path.join('.')}: ${message}.`);
  }
  const offering = await db.transaction(input.readScope, async (tx) =>
    input.offeringId ? offeringBy(tx, { id: input.offeringId }) : undefined,
  );
  const scope = publisherScope(caller, offering);
  if (!offering || !scope)
    return refused({
      code: 'OFFERING_NOT_FOUND',
      message: 'There is no such offering of yours.',
      field: 'offeringId',
    });
  const objectKey = uploadKey(offering.slug, input);
  const draft = await db.transaction(scope, (tx) =>
    insertDraft(tx, {
      ...input,
      requiredConnectors: required.data,
      offeringId: offering.id,
      bucket: artifactBucket,
      objectKey,
    }),
  );
  if (!draft)
    return refused({
      code: 'VERSION_IMMUTABLE',
      message: 'This version is published; publish another one.',
      field: 'version',
    });
  return done({
    version: draft,
    uploadUrl: await objects.presignedPutObject(artifactBucket, objectKey, uploadSeconds),
  });
}

/**
 * Publishes a draft: reads its bytes back, checks size, sha256 and content, keeps those very bytes out of reach of the upload address and makes the
 * version immutable, unless it was announced anew meanwhile. Publishing twice answers the same.
 */
export async function publishOfferingVersion(
  room: Room,
  caller: Caller,
  input: { versionId: Uuid | undefined; readScope: Scope },
): Promise<Outcome<OfferingVersion, OfferingVersionRefusal>> {
  const found = await room.db.transaction(input.readScope, async (tx) => {
    const version = input.versionId ? await versionById(tx, input.versionId) : undefined;
    return version && { version, offering: await offeringBy(tx, { id: version.offeringId }) };
  });
  const scope = publisherScope(caller, found?.offering);
  if (!found || !scope)
    return refused({
      code: 'VERSION_NOT_FOUND',
      message: 'There is no such version of yours.',
      field: 'offeringVersionId',
    });
  const { version } = found;
  if (version.state === 'PUBLISHED') return done(version);
  if (version.state !== 'DRAFT')
    return refused({ code: 'VERSION_IMMUTABLE', message: `The version is ${version.state}.` });
  const bytes = await readArtifact(room, version);
  if (!bytes) return refused({ code: 'ARTIFACT_MISSING', message: 'The artifact was not uploaded.' });
  if (
    bytes.length !== version.sizeBytes ||
    createHash('sha256').update(bytes).digest('hex') !== version.sha256
  )
    return refused({ code: 'ARTIFACT_MISMATCH', message: 'The uploaded bytes are not the ones announced.' });
  const faults = artifactFaults(bytes, {
    url: `${room.toolsOrigin}/mcp`,
    tools: version.requiredConnectors.flatMap(({ connector, tools }) =>
      tools.map((tool) => toolIdOf(connector, tool)),
    ),
  });
  if (faults.length)
    return refused({ code: 'ARTIFACT_REFUSED', message: `${faults.slice(0, 5).join('; ')}.` });
  const objectKey = publishedKey(found.offering!.slug, version);
  await storeArtifact(room, { bucket: version.bucket, objectKey, bytes });
  const published = await room.db.transaction(
    scope,
    async (tx) => (await markPublished(tx, { ...version, objectKey })) ?? (await versionById(tx, version.id)),
  );
  return published?.state === 'PUBLISHED' && published.sha256 === version.sha256
    ? done(published)
    : refused({
        code: 'ARTIFACT_MISMATCH',
        message: 'The version was announced anew while it was checked; publish it again.',
      });
}

async function storeArtifact(
  { objects }: Room,
  { bucket, objectKey, bytes }: { bucket: string; objectKey: string; bytes: Buffer },
): Promise<void> {
  try {
    await withDeadline(
      objects.putObject(bucket, objectKey, bytes, bytes.length, { 'content-type': 'application/json' }),
      storageDeadlineMs,
      'object storage',
    );
  } catch (error) {
    throw new UnavailableError('object storage', (error as Error).message, { cause: error });
  }
}

async function readArtifact(room: Room, version: OfferingVersion): Promise<Buffer | undefined> {
  const reading = new AbortController();
  try {
    return await withDeadline(readBytes(room, version, reading.signal), storageDeadlineMs, 'object storage');
  } catch (error) {
    if ((error as { code?: string }).code === 'NoSuchKey' || (error as { code?: string }).code === 'NotFound')
      return undefined;
    throw new UnavailableError('object storage', (error as Error).message, { cause: error });
  } finally {
    reading.abort(); // ends what is still being read when the deadline came
  }
}

/** At most one chunk more than an artifact may have: what is longer is not the announced one anyway. */
async function readBytes({ objects }: Room, version: OfferingVersion, signal: AbortSignal): Promise<Buffer> {
  const stream = await objects.getObject(version.bucket, version.objectKey);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of addAbortSignal(signal, stream)) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > artifactLimits.maxBytes) break;
  }
  return Buffer.concat(chunks);
}
