import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import type { KeyedCall } from './call-keys.ts';
import { createCallKeys } from './call-keys.store.ts';

const { database, adminUrl } = await openTestDatabase('tools');
/** Behind row-level security. */
const admin = new pg.Client({ connectionString: adminUrl });
await admin.connect();
afterAll(() => admin.end());
const keys = createCallKeys(database, 24);
const result = { content: [{ type: 'text', text: 'done' }], isError: false };

const callOf = (more: Partial<KeyedCall> = {}): KeyedCall => ({
  grant: {
    organizationId: uuidv7(),
    projectId: uuidv7(),
    instanceId: uuidv7(),
    runId: uuidv7(),
    fence: 1,
    owner: 'http://runner.test',
    tools: [],
    bindings: [],
    tokenId: 't',
  },
  toolId: 'orders__cancel_order',
  keyHash: 'k',
  callHash: 'c',
  auditId: uuidv7(),
  repeatAfterMs: null,
  ...more,
});

it('gives a key to one call, whose result the others get', async () => {
  const call = callOf();
  const claims = await Promise.all(
    Array.from({ length: 8 }, () => keys.claim({ ...call, auditId: uuidv7() })),
  );
  expect(claims.map(({ kind }) => kind).sort()).toEqual(['CLAIMED', ...Array(7).fill('IN_PROGRESS')]);
  const own = callOf({ keyHash: 'own' });
  await keys.claim(own);
  await keys.keep(own, result);
  expect(await keys.claim({ ...own, auditId: uuidv7() })).toEqual({ kind: 'REPLAYED', result });
  expect(await keys.claim({ ...own, callHash: 'other' })).toEqual({ kind: 'CONFLICT' });
});

it('knows a key by instance, tool and key', async () => {
  const call = callOf();
  await keys.claim(call);
  for (const other of [{ toolId: 'orders__find_order' }, { keyHash: 'l' }, { grant: callOf().grant }])
    expect(await keys.claim({ ...call, ...other })).toEqual({ kind: 'CLAIMED' });
});

it('lets a call that broke off be made again when it only reads, and lets go of no key of another call', async () => {
  const call = callOf();
  await keys.claim(call);
  expect(await keys.claim({ ...call, repeatAfterMs: 60_000 })).toEqual({ kind: 'IN_PROGRESS' });
  const next = { ...call, auditId: uuidv7(), repeatAfterMs: 0 };
  expect(await keys.claim(next)).toEqual({ kind: 'CLAIMED' });
  await keys.free(call);
  await keys.keep(call, result);
  expect(await keys.claim(call)).toEqual({ kind: 'IN_PROGRESS' });
  await keys.free(next);
  expect(await keys.claim(call)).toEqual({ kind: 'CLAIMED' });
});

it('forgets a key that expired, also for another call', async () => {
  const brief = createCallKeys(database, 0);
  const call = callOf();
  await brief.claim(call);
  expect(await keys.claim({ ...call, callHash: 'other' })).toEqual({ kind: 'CLAIMED' });
  const expired = callOf();
  await brief.claim(expired);
  expect(await keys.sweep()).toBe(false);
  const { rows } = await admin.query('select instance_id from tools.call_key where instance_id = any($1)', [
    [call.grant.instanceId, expired.grant.instanceId],
  ]);
  expect(rows).toEqual([{ instance_id: call.grant.instanceId }]);
});
