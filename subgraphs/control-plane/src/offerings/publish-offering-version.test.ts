import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anonymous } from '@agentstore/kernel/caller';
import { toGlobalId } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { startObjects, type Objects } from '../../../../infra/dev/objects/objects.ts';
import { demoArtifact } from '../../../../infra/dev/runtime/demo-flow.ts';
import {
  catalogue,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';

/** What happens elsewhere after an artifact was checked and before it is stored for good. */
let beforeStore: () => Promise<void> = async () => undefined;
class ObservedStorage extends Client {
  override async putObject(...args: Parameters<Client['putObject']>): ReturnType<Client['putObject']> {
    await beforeStore();
    return super.putObject(...args);
  }
}

let storage: Objects;
let objects: Client;
let app: ControlPlane;
let publisher: Home;
let offering: string;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'control-plane-objects-'));
const keys = { accessKey: 'test-access', secretKey: 'test-secret-key' };

beforeAll(async () => {
  storage = await startObjects({ dir, port: 0, ...keys, buckets: ['artifacts'], log: silentLog });
  objects = new ObservedStorage({
    endPoint: storage.endPoint,
    port: storage.port,
    useSSL: false,
    region: 'us-east-1',
    ...keys,
  });
  app = await startControlPlane({ objects });
  publisher = await app.withWorkspace();
  const { offeringId } = await app.service.call<{ offeringId: string }>('PUT', '/internal/catalogue', {
    ...catalogue,
    publisher: { ...catalogue.publisher, organizationId: publisher.organizationId },
  });
  offering = toGlobalId('Offering', offeringId);
});
afterAll(async () => {
  await storage.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

const flow = demoArtifact({ modelBaseUrl: 'http://127.0.0.1:1/v1' });
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
interface Payload {
  offeringVersion: { id: string; state: string; sha256: string } | null;
  uploadUrl: string | null;
  errors: { code: string }[];
}
const badSchemas: [string, object][] = [
  ['a pattern', { properties: { tone: { type: 'string', pattern: '(a+)+$' } } }],
  ['a type that is none', { properties: { tone: { type: 'colour' } } }],
];
const fields = '{ offeringVersion { id state sha256 } uploadUrl errors { code } }';
let number = 0;
const upload = async (bytes: Buffer, more: object = {}, person = publisher.person): Promise<Payload> =>
  (
    await app.data<{ offeringVersionUpload: Payload }>(
      person,
      `mutation ($input: OfferingVersionUploadInput!) { offeringVersionUpload(input: $input) ${fields} }`,
      {
        input: {
          offeringId: offering,
          version: `2.0.${++number}`,
          sha256: sha256(bytes),
          sizeBytes: bytes.length,
          ...more,
        },
      },
    )
  ).offeringVersionUpload;
const publish = async (id: string, person = publisher.person): Promise<Payload> =>
  (
    await app.data<{ offeringVersionPublish: Payload }>(
      person,
      `mutation ($input: OfferingVersionPublishInput!) { offeringVersionPublish(input: $input) ${fields} }`,
      { input: { offeringVersionId: id } },
    )
  ).offeringVersionPublish;
const put = (url: string, bytes: Buffer) => fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
const stored = async (id: string): Promise<Buffer> => {
  const [row] = await app.rows<{ bucket: string; object_key: string }>(
    'select bucket, object_key from offering_version where id = $1',
    [uuidOf('OfferingVersion', id)],
  );
  return Buffer.concat((await (await objects.getObject(row!.bucket, row!.object_key)).toArray()) as Buffer[]);
};

describe('a version', () => {
  it('is announced, uploaded past us, checked, published and what new instances get', async () => {
    const draft = await upload(flow);
    const { id } = draft.offeringVersion!;
    expect(draft).toMatchObject({ offeringVersion: { state: 'DRAFT' }, errors: [] });
    expect(await publish(id)).toMatchObject({ errors: [{ code: 'ARTIFACT_MISSING' }] });
    expect((await put(draft.uploadUrl!, flow)).status).toBe(200);
    expect(await publish(id)).toMatchObject({ offeringVersion: { state: 'PUBLISHED' }, errors: [] });
    expect(await publish(id)).toMatchObject({ offeringVersion: { state: 'PUBLISHED' }, errors: [] });
    const { offering: seen } = await app.data<{ offering: { currentVersion: { id: string } } }>(
      anonymous,
      'query ($id: ID!) { offering(id: $id) { currentVersion { id } } }',
      { id: offering },
    );
    expect(seen.currentVersion.id).toBe(id);
  });

  it('keeps its bytes though the upload address still works', async () => {
    const draft = await upload(flow);
    await put(draft.uploadUrl!, flow);
    await publish(draft.offeringVersion!.id);
    await put(draft.uploadUrl!, Buffer.from('{}'));
    expect(sha256(await stored(draft.offeringVersion!.id))).toBe(sha256(flow));
  });

  it('whose bytes are not the announced ones is not published', async () => {
    const draft = await upload(flow);
    await put(draft.uploadUrl!, Buffer.alloc(flow.length, ' '));
    expect(await publish(draft.offeringVersion!.id)).toMatchObject({
      errors: [{ code: 'ARTIFACT_MISMATCH' }],
    });
    await put(draft.uploadUrl!, Buffer.alloc(3_000_000, ' '));
    expect(await publish(draft.offeringVersion!.id)).toMatchObject({
      errors: [{ code: 'ARTIFACT_MISMATCH' }],
    });
  });

  it.each(badSchemas)('whose settings are described by %s is not announced', async (_name, configSchema) => {
    expect(await upload(flow, { configSchema })).toMatchObject({
      offeringVersion: null,
      errors: [{ code: 'INVALID_INPUT' }],
    });
  });

  it('says which tools its flow calls, for good', async () => {
    const requiredConnectors = [{ connector: 'orders', tools: ['find_order'] }];
    const draft = await upload(flow, { requiredConnectors });
    await put(draft.uploadUrl!, flow);
    expect(await publish(draft.offeringVersion!.id)).toMatchObject({ errors: [] });
    const { offering: seen } = await app.data<{ offering: { currentVersion: object } }>(
      anonymous,
      'query ($id: ID!) { offering(id: $id) { currentVersion { requiredConnectors { connector tools arguments } } } }',
      { id: offering },
    );
    expect(seen.currentVersion).toEqual({
      requiredConnectors: [{ ...requiredConnectors[0], arguments: {} }],
    });
    expect(await upload(flow, { requiredConnectors: [{ connector: 'a__b', tools: ['x'] }] })).toMatchObject({
      errors: [{ code: 'INVALID_INPUT' }],
    });
  });

  it('that is no flow to publish is refused with the reason', async () => {
    const text = Buffer.from('{"data": {"nodes": []}}');
    const draft = await upload(text);
    await put(draft.uploadUrl!, text);
    expect(await publish(draft.offeringVersion!.id)).toMatchObject({
      errors: [{ code: 'ARTIFACT_REFUSED' }],
    });
  });

  it('waits for storage that hangs no longer than its deadline, and stays a draft', async () => {
    const draft = await upload(flow);
    await put(draft.uploadUrl!, flow);
    beforeStore = () => new Promise(() => undefined);
    const { id } = draft.offeringVersion!;
    const answer = await app.graph(
      publisher.person,
      'mutation ($input: OfferingVersionPublishInput!) { offeringVersionPublish(input: $input) { errors { code } } }',
      { input: { offeringVersionId: id } },
    );
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    beforeStore = async () => undefined;
    expect(await publish(id)).toMatchObject({ offeringVersion: { state: 'PUBLISHED' } });
  });

  it('announced anew between its check and its publication is not published unchecked', async () => {
    const draft = await upload(flow, { version: '3.0.0' });
    await put(draft.uploadUrl!, flow);
    const evil = Buffer.from('{"data": {"nodes": []}}');
    beforeStore = async () => {
      beforeStore = async () => undefined;
      const changed = await upload(evil, { version: '3.0.0' });
      await put(changed.uploadUrl!, evil);
    };
    expect(await publish(draft.offeringVersion!.id)).toMatchObject({
      errors: [{ code: 'ARTIFACT_MISMATCH' }],
    });
    expect(await app.rows("select state, sha256 from offering_version where version = '3.0.0'")).toEqual([
      { state: 'DRAFT', sha256: sha256(evil) },
    ]);
  });

  it('is published by its publisher alone, and read as a draft by nobody', async () => {
    const draft = await upload(flow);
    const stranger = (await app.withWorkspace()).person;
    expect(await upload(flow, {}, stranger)).toMatchObject({ errors: [{ code: 'OFFERING_NOT_FOUND' }] });
    expect(await publish(draft.offeringVersion!.id, stranger)).toMatchObject({
      errors: [{ code: 'VERSION_NOT_FOUND' }],
    });
    expect(await publish(nowhere('OfferingVersion'))).toMatchObject({
      errors: [{ code: 'VERSION_NOT_FOUND' }],
    });
    const { offering: seen } = await app.data<{ offering: { versions: { state: string }[] } }>(
      anonymous,
      'query ($id: ID!) { offering(id: $id) { versions(state: [DRAFT, PUBLISHED]) { state } } }',
      { id: offering },
    );
    expect(new Set(seen.versions.map(({ state }) => state))).toEqual(new Set(['PUBLISHED']));
  });

  it.each<[string, object]>([
    ['sha256', { sha256: 'ABC' }],
    ['size', { sizeBytes: 2_097_153 }],
    ['size', { sizeBytes: 0 }],
    ['number', { version: '../../etc' }],
    ['number', { version: '' }],
    ['schema', { configSchema: ['a list'] }],
  ])('with an unusable %s is refused', async (_name, more) =>
    expect(await upload(flow, more)).toMatchObject({ uploadUrl: null, errors: [{ code: 'INVALID_INPUT' }] }),
  );
});

describe('a published version in the database', () => {
  it.each([
    "sha256 = repeat('0', 64)",
    'size_bytes = 5',
    "object_key = 'elsewhere'",
    'config = \'{"tone": "rude"}\'',
    "version = '9.9.9'",
    "state = 'DRAFT'",
  ])('refuses %s', async (change) => {
    await expect(
      app.rows(`update offering_version set ${change} where version = $1`, [catalogue.version.version]),
    ).rejects.toThrow(/immutable|goes forward/);
  });

  it('goes forward to RETIRED and END_OF_LIFE and never back, and is not deleted', async () => {
    const [{ id }] = (await app.rows<{ id: string }>('select id from offering_version where version = $1', [
      catalogue.version.version,
    ])) as [{ id: string }];
    const to = (state: string) =>
      app.rows('update offering_version set state = $2 where id = $1', [id, state]);
    await to('RETIRED');
    await expect(to('PUBLISHED')).rejects.toThrow(/goes forward/);
    await to('END_OF_LIFE');
    await expect(to('RETIRED')).rejects.toThrow(/goes forward/);
    await expect(app.rows('delete from offering_version where id = $1', [id])).rejects.toThrow(/immutable/);
  });

  it('put again with other bytes is refused in words', async () => {
    const changed = { ...catalogue, version: { ...catalogue.version, sha256: sha256(flow) } };
    await expect(app.service.call('PUT', '/internal/catalogue', changed)).rejects.toMatchObject({
      status: 409,
      code: 'VERSION_IMMUTABLE',
    });
  });
});

it('the catalogue is put as often as one likes, and its prices go to billing', async () => {
  const again = () =>
    app.service.call<{ offeringId: string }>('PUT', '/internal/catalogue', {
      ...catalogue,
      version: { ...catalogue.version, version: '1.1.0' },
    });
  const first = await again();
  expect(await again()).toEqual(first);
  expect(app.billing.rateCards.get(first.offeringId)).toEqual(catalogue.rateCard);
});
