import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/http/client';
import { fromGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { member, startRunsApp, type RunsApp } from '../testing/runs-app.ts';
import { claimOrphans, type ClaimedRun } from './owned-runs.store.ts';
import type { InstanceFacts } from './run.ts';

let app: RunsApp;
let facts: InstanceFacts;
beforeAll(async () => {
  app = await startRunsApp();
});
beforeEach(async () => {
  facts = app.controlPlane.add();
});

type Claimed = Omit<ClaimedRun, 'history'> & {
  takenOver: boolean;
  history: { role: string; content: string }[];
  runToken: string | null;
};

const claim = async (runnerId: string, more: object = {}): Promise<Claimed[]> => {
  const body = { runnerId, ownerUrl: 'http://r.test', limit: 10, leaseMs: 10_000, waitMs: 0, ...more };
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
const decide = (run: { runId: string; fence: number }, more: object = {}) =>
  app.service.call('POST', `/internal/runs/${run.runId}/ending`, {
    fence: run.fence,
    state: 'SUCCEEDED',
    output: 'done',
    usage: null,
    error: null,
    billed: [{ dimension: 'run', quantity: '7' }],
    ...more,
  });
const finish = (run: { runId: string; fence: number }, charge: string | null = '7') =>
  app.service.call('POST', `/internal/runs/${run.runId}/finish`, { fence: run.fence, charge });
const lost = { code: 'RUNNER_LOST', message: 'x', retryable: true };
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof ServiceError ? error.code : String(error)),
  );
const expireLease = (runId: string, seconds = 1) =>
  app.deps.db.transaction(systemScope('test'), (tx) =>
    tx.sql(`update run set lease_until = now() - make_interval(secs => $2) where id = $1`, [runId, seconds]),
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

  it('gives a run that was handed back at once, whatever its former owner still has under way', async () => {
    const run = await startAndClaim();
    await app.service.call('POST', `/internal/runs/${run.runId}/hand-back`, { fence: run.fence });
    expect(await codeOf(heartbeat(run))).toBe('RUN_FENCED');
    expect(await claim('r1')).toMatchObject([{ runId: run.runId, takenOver: true }]);
  });

  it('gives a runner that lives its own runs back only after one more lease', async () => {
    const run = await startAndClaim();
    await expireLease(run.runId);
    expect(await claim('r1')).toEqual([]);
    await expireLease(run.runId, 11);
    expect(await claim('r1')).toMatchObject([{ runId: run.runId, fence: 2 }]);
  });

  it('tells no more of a conversation than a flow can be given', async () => {
    const first = await startAndClaim();
    const found = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(first)}") { conversation { id } } }`,
    );
    const { conversation } = found.data!['run'] as unknown as { conversation: { id: string } };
    await app.finish(first, { output: 'x'.repeat(60_000) });
    for (const output of ['y'.repeat(30_000), 'z'.repeat(30_000)]) {
      await app.start(facts, { conversationId: conversation.id });
      await app.finish((await claim('r1'))[0]!, { output });
    }
    await app.start(facts, { conversationId: conversation.id });
    expect((await claim('r1'))[0]!.history.map(({ content }) => content[0])).toEqual(['h', 'y', 'h', 'z']);
  });

  it('tells what was said before in the conversation', async () => {
    const first = await startAndClaim();
    await app.finish(first);
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

describe('the token of a claimed run', () => {
  const tools = ['orders__find_order', 'status__service_status'];
  const lifeOf = (token: string | null): number => {
    const claims = Buffer.from(token!.split('.')[1]!, 'base64url').toString();
    const { iat, exp } = JSON.parse(claims) as { iat: number; exp: number };
    return exp - iat;
  };

  it('grants its owner what the instance had when the run was queued', async () => {
    const bindings = [uuidv7()];
    facts = app.controlPlane.add({ toolGrants: { tools, bindings } });
    await app.start(facts);
    app.controlPlane.set({ ...facts, toolGrants: { tools: ['later'], bindings: [] } });
    const [run] = await claim('r1', { ownerUrl: 'https://runner-1.test:8443' });
    const { tokenId, ...grant } = await app.verifyRunToken(run!.runToken!);
    expect(tokenId).toMatch(/^[0-9a-f-]{36}$/);
    expect(grant).toEqual({
      organizationId: facts.organizationId,
      projectId: facts.projectId,
      instanceId: facts.instanceId,
      runId: run!.runId,
      fence: 1,
      owner: 'https://runner-1.test:8443',
      tools,
      bindings,
    });
    // A plan of 60 seconds, some of them gone, and 30 more.
    expect(lifeOf(run!.runToken)).toBeGreaterThan(30);
    expect(lifeOf(run!.runToken)).toBeLessThanOrEqual(90);
  });

  it('is another one for the next owner', async () => {
    const run = await startAndClaim();
    await expireLease(run.runId);
    const [taken] = await claim('r2', { ownerUrl: 'http://r2.test' });
    expect(await app.verifyRunToken(taken!.runToken!)).toMatchObject({ fence: 2, owner: 'http://r2.test' });
  });

  it('is there for a run without tools, too, and lasts for 15 minutes at most', async () => {
    facts = app.controlPlane.add({ limits: { maxRunSeconds: 3_000, maxConcurrentRuns: 5 } });
    const { runToken } = await startAndClaim();
    expect(await app.verifyRunToken(runToken!)).toMatchObject({ tools: [], bindings: [] });
    expect(lifeOf(runToken)).toBe(900);
  });

  it('is there for none of a project that is not known, nor with grants that are none; no other run is harmed', async () => {
    const { projectId: _project, toolGrants: _grants, ...old } = facts;
    app.controlPlane.set(old);
    await app.start(facts);
    await app.start(app.controlPlane.add({ toolGrants: { tools: [''], bindings: [] } }));
    await app.start(app.controlPlane.add());
    expect((await claim('r1')).map(({ runToken }) => runToken)).toEqual([null, null, expect.any(String)]);
  });

  it('is kept nowhere', async () => {
    const { runToken } = await startAndClaim();
    const rows = await app.deps.db.transaction(systemScope('test'), (tx) =>
      tx.sql<{ row: string }>('select run::text as row from run'),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => row.includes(runToken!.split('.')[1]!.slice(0, 20)))).toEqual([]);
  });

  it.each(['ftp://r.test', 'http://r.test/path', 'http://r.test/', 'r.test'])(
    'is made for no owner at %s',
    async (ownerUrl) => {
      expect(await codeOf(claim('r1', { ownerUrl }))).toBe('BAD_REQUEST');
    },
  );
});

const globalRun = ({ runId }: { runId: string }): string => Buffer.from(`Run:${runId}`).toString('base64url');

describe('appending', () => {
  it('nothing asks whether the run goes on', async () => {
    const run = await startAndClaim();
    expect(await append(run, [])).toEqual({ lastSeq: 0, cancelRequested: false });
    await app.graph(
      member(facts),
      `mutation { runCancel(input: { runId: "${globalRun(run)}" }) { run { id } } }`,
    );
    expect(await append(run, [])).toEqual({ lastSeq: 0, cancelRequested: true });
  });

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
    expect(await codeOf(decide(old))).toBe('RUN_FENCED');
    expect(await codeOf(finish(old))).toBe('RUN_FENCED');
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
  const read = async (run: { runId: string }) => {
    const answer = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(run)}") { state output error { code } events { __typename seq ... on RunFinished { output charge } ... on RunFailed { charge } } } }`,
    );
    return answer.data!['run'];
  };

  it('happens once, as it was decided; the same again is fine, another end is fenced', async () => {
    const run = await startAndClaim();
    expect(await codeOf(finish(run))).toBe('NOT_DECIDED');
    await append(run, [event(1)]);
    await decide(run);
    expect(await codeOf(decide(run, { state: 'FAILED', output: null, error: lost }))).toBe('ok');
    const ends = await Promise.all(Array.from({ length: 5 }, () => codeOf(finish(run))));
    expect(ends).toEqual(Array(5).fill('ok'));
    expect(await codeOf(decide(run, { state: 'CANCELLED', output: null }))).toBe('RUN_FENCED');
    expect(await codeOf(append(run, [event(2)]))).toBe('RUN_FENCED');
    expect(await read(run)).toMatchObject({
      state: 'SUCCEEDED',
      output: 'done',
      error: null,
      events: [{ seq: 1 }, { __typename: 'RunFinished', seq: 2, output: 'done', charge: '7' }],
    });
  });

  it('says an error of failed runs only, and a charge that nobody could say as null', async () => {
    const run = await startAndClaim();
    expect(await codeOf(decide(run, { error: lost }))).toBe('BAD_REQUEST');
    expect(await codeOf(decide(run, { state: 'FAILED' }))).toBe('BAD_REQUEST');
    await decide(run, { state: 'FAILED', output: null, error: lost });
    expect((await read(run))!).toMatchObject({ state: 'RUNNING', error: null, events: [] });
    await finish(run, null);
    expect(await read(run)).toEqual({
      state: 'FAILED',
      output: null,
      error: { code: 'RUNNER_LOST' },
      events: [{ __typename: 'RunFailed', seq: 1, charge: null }],
    });
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

  it('settles a lost run at its checkpoint with no runner there, long before its deadline', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    await heartbeat(run, { usage: [{ dimension: 'output_token', quantity: '5' }] });
    await expireLease(run.runId, 6);
    expect(await ended(globalRun(run))).toMatchObject({
      state: 'FAILED',
      error: { code: 'RUNNER_LOST', retryable: true },
    });
    expect(app.billing.reservations.get(run.runId)).toMatchObject({ status: 'SETTLED', charge: '5' });
  });

  it('ends a run as its lost owner decided, with what billing charged, whether or not it was asked before', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    await heartbeat(run, { usage: [{ dimension: 'output_token', quantity: '5' }] });
    await decide(run);
    await expireLease(run.runId, 6);
    expect(await ended(globalRun(run))).toEqual({
      state: 'SUCCEEDED',
      error: null,
      events: [
        { __typename: 'TextMessageContent', seq: 1 },
        { __typename: 'RunFinished', seq: 2 },
      ],
    });
    expect(app.billing.reservations.get(run.runId)).toMatchObject({ status: 'SETTLED', charge: '7' });
  });

  it('tells the charge of a lost run that was settled before anything of it was noted', async () => {
    const run = await startAndClaim();
    await append(run, [event(1)]);
    const usage = [{ dimension: 'run', quantity: '9' }];
    await app.deps.billing.call('POST', '/billing/settle', { ...run, usage });
    await expireLease(run.runId, 6);
    await ended(globalRun(run));
    const answer = await app.graph(
      member(facts),
      `{ run(id: "${globalRun(run)}") { events(after: 1) { ... on RunFailed { charge } } } }`,
    );
    expect(answer.data!['run']).toEqual({ events: [{ charge: '9' }] });
  });

  it('leaves a run that never began, and one whose owner was silent for a moment only, to runners', async () => {
    const fresh = await startAndClaim();
    const short = await startAndClaim();
    await append(short, [event(1)]);
    await expireLease(fresh.runId, 60);
    await expireLease(short.runId, 2);
    const orphans = await app.deps.db.transaction(systemScope('test'), (tx) =>
      claimOrphans(tx, { limit: 50, lostAfterMs: 5_000 }),
    );
    expect(orphans).toEqual([]);
    expect((await claim('r2')).map(({ runId }) => runId)).toEqual([fresh.runId, short.runId]);
  });

  it('ends the others when billing cannot end one of them, and that one later under the same name', async () => {
    const late = { limits: { maxRunSeconds: 0, maxConcurrentRuns: 5 } };
    const [poor, rich] = [app.controlPlane.add(late), app.controlPlane.add(late)];
    app.billing.state.faulty = poor.organizationId;
    facts = poor;
    const bad = (await app.start(poor)).run!;
    facts = rich;
    expect(await ended((await app.start(rich)).run!.id)).toMatchObject({ state: 'FAILED' });
    app.billing.state.faulty = undefined;
    await expireLease(fromGlobalId('Run', bad.id)!, 6);
    facts = poor;
    expect(await ended(bad.id)).toMatchObject({ error: { code: 'RUNNER_UNAVAILABLE' } });
  });
});
