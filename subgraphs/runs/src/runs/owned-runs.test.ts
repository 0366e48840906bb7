import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/http/client';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { member, startRunsApp, type RunsApp } from '../testing/runs-app.ts';
import type { ClaimedRun } from './owned-runs.store.ts';
import type { InstanceFacts } from './run.ts';

let app: RunsApp;
let facts: InstanceFacts;
beforeAll(async () => {
  app = await startRunsApp();
});
beforeEach(async () => {
  facts = app.controlPlane.add();
});

type Claimed = ClaimedRun & { takenOver: boolean; history: { role: string; content: string }[] };

const claim = async (runnerId: string, more: object = {}): Promise<Claimed[]> => {
  const body = { runnerId, limit: 10, leaseMs: 10_000, waitMs: 0, ...more };
  return (await app.service.call<{ runs: Claimed[] }>('POST', '/internal/runs:claim', body)).runs;
};
const startAndClaim = async (): Promise<Claimed> => {
  await app.start(facts);
  return (await claim('r1'))[0]!;
};
const event = (
  seq: number,
  kind = 'TextMessageContent',
  payload: object = { messageId: 'm', delta: `w${seq}` },
) => ({
  seq,
  kind,
  at: new Date().toISOString(),
  payload,
});
const append = (run: { runId: string; fence: number }, events: object[]) =>
  app.service.call<{ lastSeq: number; cancelRequested: boolean }>(
    'POST',
    `/internal/runs/${run.runId}/events`,
    {
      fence: run.fence,
      events,
    },
  );
const heartbeat = (run: { runId: string; fence: number }, more: object = {}) =>
  app.service.call<{ cancelRequested: boolean; remainingMs: number }>(
    'POST',
    `/internal/runs/${run.runId}/heartbeat`,
    { fence: run.fence, leaseMs: 10_000, ...more },
  );
const finish = (run: { runId: string; fence: number }, seq: number, more: object = {}) =>
  app.service.call('POST', `/internal/runs/${run.runId}/finish`, {
    fence: run.fence,
    state: 'SUCCEEDED',
    output: 'done',
    usage: null,
    error: null,
    charge: '7',
    events: [event(seq, 'RunFinished', { output: 'done', usage: null, charge: '7' })],
    ...more,
  });
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof ServiceError ? error.code : String(error)),
  );
const expireLease = (runId: string) =>
  app.deps.db.transaction(systemScope('test'), (tx) =>
    tx.sql(`update run set lease_until = now() - interval '1 second' where id = $1`, [runId]),
  );

describe('claiming', () => {
  it('gives a run to one of two claimers', async () => {
    await app.start(facts);
    const [a, b] = await Promise.all([claim('a'), claim('b')]);
    expect([...a, ...b]).toHaveLength(1);
    expect([...a, ...b][0]).toMatchObject({
      fence: 1,
      takenOver: false,
      lastSeq: 0,
      input: 'hello',
      history: [],
    });
  });

  it('wakes a waiting claimer when a run is queued', async () => {
    const waiting = claim('a', { waitMs: 20_000 });
    const { run } = await app.start(facts);
    expect((await waiting).map(({ runId }) => runId)).toEqual([fromGlobalId('Run', run!.id)]);
  });

  it('gives a run whose lease ran out to the next one, under a higher fence and with the checkpoint', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    const usage = [{ dimension: 'output_token', quantity: '5' }];
    await heartbeat(run, { usage });
    expect(await claim('r2')).toEqual([]);
    await expireLease(run.runId);
    const [taken] = await claim('r2');
    expect(taken).toMatchObject({
      runId: run.runId,
      fence: 2,
      takenOver: true,
      lastSeq: 1,
      checkpoint: usage,
    });
  });

  it('gives a run that was handed back at once', async () => {
    const run = await startAndClaim();
    await app.service.call('POST', `/internal/runs/${run.runId}/hand-back`, { fence: run.fence });
    expect(await claim('r2')).toMatchObject([{ runId: run.runId, takenOver: true }]);
  });

  it('tells what was said before in the conversation', async () => {
    const first = await startAndClaim();
    await finish(first, 1);
    const found = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(first)}") { conversation { id } } }`,
    );
    const { conversation } = found.data!['run'] as unknown as { conversation: { id: string } };
    await app.start(facts, { conversationId: conversation.id, input: 'and now?' });
    expect((await claim('r1'))[0]!.history).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'done' },
    ]);
  });

  it('is for services that may execute runs', async () => {
    const answer = await app.app.fetch(
      new Request('http://runs/internal/runs:claim', { method: 'POST', body: '{}' }),
    );
    expect(answer.status).toBe(401);
  });
});

const globalRun = ({ runId }: { runId: string }): string => Buffer.from(`Run:${runId}`).toString('base64url');

describe('appending', () => {
  it('takes events in order, and the same ones again without a second copy', async () => {
    const run = await startAndClaim();
    expect(await append(run, [event(1), event(2)])).toEqual({ lastSeq: 2, cancelRequested: false });
    expect(await append(run, [event(1), event(2)])).toEqual({ lastSeq: 2, cancelRequested: false });
    expect(await append(run, [event(2), event(3)])).toMatchObject({ lastSeq: 3 });
    const answer = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(run)}") { lastSeq events { seq } } }`,
    );
    expect(answer.data).toEqual({ run: { lastSeq: 3, events: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] } });
  });

  it('refuses holes, other events under a taken seq, and terminal events', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    expect(await codeOf(append(run, [event(3)]))).toBe('SEQ_GAP');
    expect(await codeOf(append(run, [event(2), event(4)]))).toBe('SEQ_GAP');
    expect(await codeOf(append(run, [event(1, 'TextMessageContent', { messageId: 'm', delta: 'x' })]))).toBe(
      'SEQ_CONFLICT',
    );
    expect(await codeOf(append(run, [event(2, 'RunFinished', {})]))).toBe('BAD_REQUEST');
  });

  it('refuses an owner that was replaced, in every way it may write', async () => {
    const old = await startAndClaim();
    await expireLease(old.runId);
    await claim('r2');
    expect(await codeOf(append(old, [event(1)]))).toBe('RUN_FENCED');
    expect(await codeOf(heartbeat(old))).toBe('RUN_FENCED');
    expect(await codeOf(finish(old, 1))).toBe('RUN_FENCED');
  });

  it('says in its answer that the client wants the run to stop', async () => {
    const run = await startAndClaim();
    const cancelled = await app.graph(
      member(facts),
      `mutation { runCancel(input: { runId: "${globalRun(run)}" }) { run { state } errors { code } } }`,
    );
    expect(cancelled.data).toEqual({ runCancel: { run: { state: 'CANCELLING' }, errors: [] } });
    expect(await append(run, [event(1)])).toMatchObject({ cancelRequested: true });
    expect(await heartbeat(run)).toMatchObject({ cancelRequested: true });
  });
});

describe('finishing', () => {
  it('happens once; the same end again is fine, another is fenced', async () => {
    const run = await startAndClaim();
    const ends = await Promise.all(Array.from({ length: 5 }, () => codeOf(finish(run, 1))));
    expect(ends).toEqual(Array(5).fill('ok'));
    const cancelled = { state: 'CANCELLED', events: [event(1, 'RunCancelled', { charge: '0' })] };
    expect(await codeOf(finish(run, 1, cancelled))).toBe('RUN_FENCED');
    expect(await codeOf(append(run, [event(2)]))).toBe('RUN_FENCED');
    const answer = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(run)}") { state output events { __typename seq } } }`,
    );
    expect(answer.data).toEqual({
      run: { state: 'SUCCEEDED', output: 'done', events: [{ __typename: 'RunFinished', seq: 1 }] },
    });
  });

  it('takes only the terminal event of its state, last', async () => {
    const run = await startAndClaim();
    expect(await codeOf(finish(run, 1, { events: [event(1)] }))).toBe('BAD_REQUEST');
    expect(await codeOf(finish(run, 1, { state: 'FAILED' }))).toBe('BAD_REQUEST');
  });
});

describe('the sweep', () => {
  const ended = async (runId: string) => {
    for (;;) {
      const answer = await app.graph(
        member(facts),
        `{ run(id: "${runId}") { state error { code retryable } events { __typename seq } } }`,
      );
      const run = answer.data!['run'] as unknown as { state: string; error: unknown; events: unknown };
      if (!['QUEUED', 'RUNNING', 'CANCELLING'].includes(run.state)) return run;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  it('ends a queued run that no runner took before its deadline, and gives its credits back', async () => {
    facts = app.controlPlane.add({ limits: { maxRunSeconds: 0, maxConcurrentRuns: 5 } });
    const { run } = await app.start(facts);
    expect(await ended(run!.id)).toEqual({
      state: 'FAILED',
      error: { code: 'RUNNER_UNAVAILABLE', retryable: true },
      events: [{ __typename: 'RunFailed', seq: 1 }],
    });
    expect(app.billing.reservations.get(fromGlobalId('Run', run!.id)!)!.status).toBe('RELEASED');
  });

  it('ends a queued run that was cancelled before any runner took it', async () => {
    const { run } = await app.start(facts);
    await app.graph(member(facts), `mutation { runCancel(input: { runId: "${run!.id}" }) { run { id } } }`);
    expect(await ended(run!.id)).toMatchObject({
      state: 'CANCELLED',
      events: [{ __typename: 'RunCancelled' }],
    });
    expect(app.billing.reservations.get(fromGlobalId('Run', run!.id)!)!.status).toBe('RELEASED');
  });

  it('settles a lost run at its checkpoint when nobody takes it over', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    await heartbeat(run, { usage: [{ dimension: 'output_token', quantity: '5' }] });
    await app.deps.db.transaction(systemScope('test'), (tx) =>
      tx.sql(
        `update run set lease_until = now() - interval '1 hour', deadline_at = now() - interval '1 hour' where id = $1`,
        [run.runId],
      ),
    );
    expect(await ended(globalRun(run))).toMatchObject({
      state: 'FAILED',
      error: { code: 'RUNNER_LOST', retryable: true },
    });
    expect(app.billing.reservations.get(run.runId)).toMatchObject({ status: 'SETTLED', charge: '5' });
  });
});
