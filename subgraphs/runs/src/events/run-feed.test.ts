import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Database, SqlValue } from '@agentstore/kernel/db/database';
import type { Room } from '../deps.ts';
import { endable, followRun } from './follow-run.ts';
import { createRunFeed, type RunFeed } from './run-feed.ts';

let db: Database;
let feed: RunFeed;
const scope = systemScope('test');
beforeAll(async () => {
  ({ database: db } = await openTestDatabase('runs'));
  feed = createRunFeed({ database: db, log: silentLog, limits: { events: 4, bytes: 1_000 }, pollMs: 100 });
  await feed.start();
});
afterAll(() => feed.stop());

const sql = (text: string, values: readonly SqlValue[]) =>
  db.transaction(scope, (tx) => tx.sql(text, values));

/** A RUNNING run whose owner is the test. */
async function running(): Promise<string> {
  const [runId, organization, instance, conversation] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  await sql('insert into conversation (id, organization_id, instance_id) values ($1, $2, $3)', [
    conversation,
    organization,
    instance,
  ]);
  await sql(
    `insert into run (id, organization_id, instance_id, offering_id, conversation_id, state, fence, input, artifact, config, requested_by, deadline_at)
     values ($1, $2, $3, $1, $4, 'RUNNING', 1, 'x', '{}', '{}', 'test', now() + interval '1 hour')`,
    [runId, organization, instance, conversation],
  );
  return runId;
}
const append = (runId: string, seqs: readonly number[], delta = 'x') =>
  sql('select append_events($1, 1, $2)', [
    runId,
    JSON.stringify(
      seqs.map((seq) => ({ seq, kind: 'TextMessageContent', at: new Date(), payload: { delta } })),
    ),
  ]);
const never = new AbortController().signal;

describe('a place in the live feed', () => {
  it('gets what is appended after its head, in order', async () => {
    const runId = await running();
    await append(runId, [1, 2]);
    const place = feed.attach(runId, 2);
    await append(runId, [3, 4]);
    await place.wait(never);
    expect(place.take()).toMatchObject({ behind: false, events: [{ seq: 3 }, { seq: 4 }] });
    expect(place.take()).toEqual({ behind: false, events: [] });
    place.detach();
  });

  it.each([
    ['events', 5, 'x'],
    ['bytes', 3, 'x'.repeat(500)],
  ])('keeps no more %s than its bound, and says that it is behind', async (_what, count, delta) => {
    const runId = await running();
    const place = feed.attach(runId, 0);
    await append(
      runId,
      Array.from({ length: count }, (_, index) => index + 1),
      delta,
    );
    await place.wait(never);
    expect(place.take()).toEqual({ behind: true, events: [] });
    await append(runId, [count + 1]);
    await place.wait(never);
    expect(place.take()).toMatchObject({ behind: false, events: [{ seq: count + 1 }] });
    place.detach();
  });

  it('is shared by nobody: two of one run get the same events', async () => {
    const runId = await running();
    const places = [feed.attach(runId, 0), feed.attach(runId, 0)];
    await append(runId, [1]);
    await Promise.all(places.map((place) => place.wait(never)));
    for (const place of places) {
      expect(place.take().events).toMatchObject([{ seq: 1 }]);
      place.detach();
    }
  });

  it('stops waiting when its signal aborts', async () => {
    const place = feed.attach(await running(), 0);
    const leave = new AbortController();
    const waiting = place.wait(leave.signal);
    leave.abort();
    await waiting;
    expect(place.take().events).toEqual([]);
    place.detach();
  });
});

it('a follower that is ended while it waits gives its place back', async () => {
  const runId = await running();
  await append(runId, [1]);
  const detached = Promise.withResolvers<void>();
  const watched: RunFeed = {
    ...feed,
    attach(run, head) {
      const place = feed.attach(run, head);
      return { ...place, detach: () => (place.detach(), detached.resolve()) };
    },
  };
  const room = { db, feed: watched } as Room;
  const events = endable((signal) => followRun(room, scope, { runId, after: 0, headSeq: 0, signal }));
  expect((await events.next()).value).toMatchObject({ seq: 1 });
  const pending = events.next();
  await events.return();
  await detached.promise;
  expect(await pending).toEqual({ done: true, value: undefined });
});
