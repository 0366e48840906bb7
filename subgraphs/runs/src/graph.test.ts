import { beforeAll, describe, expect, it } from 'vitest';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { member, startRunsApp, type RunsApp } from './testing/runs-app.ts';
import type { InstanceFacts } from './runs/run.ts';

let app: RunsApp;
let facts: InstanceFacts;
let instance: string;
const started: string[] = [];
beforeAll(async () => {
  app = await startRunsApp();
  facts = app.controlPlane.add();
  instance = toGlobalId('Instance', facts.instanceId);
  for (const input of ['one', 'two', 'three']) started.push((await app.start(facts, { input })).run!.id);
});

const entities = `query ($r: [_Any!]!) { _entities(representations: $r) { __typename
  ... on Run { id input conversation { id title } instance { id } }
  ... on Instance { runs(first: 2) { edges { node { input } } pageInfo { hasNextPage endCursor } } conversations { edges { node { title } } } } } }`;

describe('the graph of runs', () => {
  it('resolves runs as entities in the order asked, and null for what the caller may not see', async () => {
    const theirs = app.controlPlane.add();
    const foreign = (await app.start(theirs)).run!.id;
    const r = [started[1], foreign, started[0], 'nonsense'].map((id) => ({ __typename: 'Run', id }));
    const answer = await app.graph(member(facts), entities, { r });
    expect(answer.data!['_entities']).toMatchObject([
      { id: started[1], input: 'two', conversation: { title: 'two' }, instance: { id: instance } },
      null,
      { id: started[0], input: 'one' },
      null,
    ]);
  });

  it('pages the runs and conversations of an instance, newest first', async () => {
    const r = [{ __typename: 'Instance', id: instance }];
    const answer = await app.graph(member(facts), entities, { r });
    const [first] = answer.data!['_entities'] as unknown as {
      runs: { edges: { node: { input: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      conversations: { edges: object[] };
    }[];
    expect(first!.runs.edges.map(({ node }) => node.input)).toEqual(['three', 'two']);
    expect(first!.runs.pageInfo.hasNextPage).toBe(true);
    expect(first!.conversations.edges).toHaveLength(3);
    const rest = await app.graph(
      member(facts),
      `query ($r: [_Any!]!, $after: String) { _entities(representations: $r) {
        ... on Instance { runs(first: 2, after: $after) { edges { node { input } } pageInfo { hasNextPage } } } } }`,
      { r, after: first!.runs.pageInfo.endCursor },
    );
    expect(rest.data!['_entities']).toEqual([
      { runs: { edges: [{ node: { input: 'one' } }], pageInfo: { hasNextPage: false } } },
    ]);
  });

  it("shows a stranger none of an instance's runs", async () => {
    const stranger = userCaller([{ organizationId: uuidv7(), role: 'OWNER' }]);
    const answer = await app.graph(stranger, entities, { r: [{ __typename: 'Instance', id: instance }] });
    expect(answer.data!['_entities']).toMatchObject([{ runs: { edges: [] }, conversations: { edges: [] } }]);
  });

  it('tells what was said in a conversation', async () => {
    const talk = app.controlPlane.add();
    const { run } = await app.start(talk, { input: 'hi?' });
    const { runs } = await app.service.call<{ runs: { runId: string; fence: number }[] }>(
      'POST',
      '/internal/runs:claim',
      {
        runnerId: 'r',
        ownerUrl: 'http://r.test',
        limit: 100,
        leaseMs: 60_000,
        waitMs: 0,
      },
    );
    for (const { runId, fence } of runs) await app.finish({ runId, fence }, { output: 'hi!' });
    const answer = await app.graph(
      member(talk),
      `{ run(id: "${run!.id}") { state conversation { messages { edges { node { id role content } } } } } }`,
    );
    const said = answer.data!['run'] as unknown as {
      conversation: { messages: { edges: { node: { id: string; role: string; content: string } }[] } };
    };
    const nodes = said.conversation.messages.edges.map(({ node }) => node);
    expect(nodes).toMatchObject([
      { role: 'USER', content: 'hi?' },
      { role: 'ASSISTANT', content: 'hi!' },
    ]);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(2);
  });

  it('cancels for those who may, and says of a foreign run that there is none', async () => {
    const cancel =
      'mutation ($id: ID!) { runCancel(input: { runId: $id }) { run { state } errors { code field } } }';
    const { run } = await app.start(facts);
    const stranger = userCaller([{ organizationId: uuidv7(), role: 'OWNER' }]);
    for (const id of [run!.id, 'nonsense'])
      expect((await app.graph(stranger, cancel, { id })).data).toEqual({
        runCancel: { run: null, errors: [{ code: 'RUN_NOT_FOUND', field: 'runId' }] },
      });
    expect((await app.graph(member(facts), cancel, { id: run!.id })).data).toEqual({
      runCancel: { run: { state: 'CANCELLING' }, errors: [] },
    });
  });
});
