import { beforeAll, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { startControlPlane, type ControlPlane } from '../testing/control-plane-app.ts';

let app: ControlPlane;
beforeAll(async () => {
  app = await startControlPlane();
});

it('operators see what is owed to somebody who does not take it, and nobody else does', async () => {
  const id = uuidv7();
  await app.rows(
    "insert into outbox (id, topic, key, payload, parked_reason) values ($1, 'CreditsGranted', 'somebody', '{}', 'WALLET_CLOSED: no'), ($2, 'CreditsGranted', 'other', '{}', null)",
    [id, uuidv7()],
  );
  const query = '{ parkedFacts { id topic key reason } }';
  expect(await app.data(userCaller([], { operator: true }), query)).toEqual({
    parkedFacts: [{ id, topic: 'CreditsGranted', key: 'somebody', reason: 'WALLET_CLOSED: no' }],
  });
  expect((await app.graph(await app.signIn(), query)).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
});
