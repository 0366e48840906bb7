import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTokenSigner } from '@agentstore/kernel/auth/run-token';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { signIn } from '../../../infra/dev/identity/sign-in.ts';
import { graphClient } from '../../../infra/dev/main-job/graph-client.ts';
import * as operations from '../../../infra/dev/main-job/tool-operations.ts';
import { demoConnectorSecrets } from '../../../infra/dev/state/demo-connector-secrets.ts';
import type { DevDescription } from '../../../infra/dev/state/description.ts';
import { devSecrets } from '../../../infra/dev/state/secrets.ts';
import type { Data } from '../../setup/graph-data.ts';
import { freePorts } from '../../setup/free-ports.ts';
import { startEchoUpstream } from './echo-upstream.ts';
import { findSecret, type Part, type Place } from './find-secret.ts';
import { startCollector } from './otlp-collector.ts';
import { database, files, insidesOf, recorder, repository, valuesOf } from './places.ts';
import type { Order, SearchedStoreOptions, Told } from './searched-store.ts';
import { activated, bind, runWithTools, toolAgent, type Caller } from './tool-agent.ts';

const secretsFile = 'demo-connector-secrets.json';
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'secret-nowhere-'));
const stateDir = path.join(home, 'state');
fs.mkdirSync(stateDir);

/** Everything that the graph answered, as it came; and what was streamed. */
const answers: unknown[] = [];
const printed = recorder('printed');
/** Every secret that was bound in the story. */
let secrets: string[];
let child: ChildProcess;
let described: DevDescription;
let adminUrl: string;
let insides: Part[];
let collector: Awaited<ReturnType<typeof startCollector>>;
let echo: Awaited<ReturnType<typeof startEchoUpstream>>;
/** How each step of the story ended. */
const ends: string[] = [];

/** The story: a search that finds nothing is to have had something to find. */
beforeAll(async () => {
  collector = await startCollector();
  echo = await startEchoUpstream();
  const inspectorPort = await freePort();
  await startStore(inspectorPort);
  const person = await buyer();
  const own = await toolAgent({ stateDir }, person);
  const { orders } = demoConnectorSecrets(stateDir);
  const rotated = `rotated-${orders}`;
  const mistyped = `mistyped-${orders}`;
  secrets = [...Object.values(demoConnectorSecrets(stateDir)), rotated, mistyped];

  ends.push((await runWithTools(person, own.instanceId, 'Where is order A-1042?')).end);
  await person.query(importing, {
    input: { organizationId: own.organizationId, slug: 'echo', openapi: echo.openapi },
  });
  const echoBinding = await bind(person, { ...own, slug: 'echo', secret: orders });
  const echoing = await activated(person, own.projectId, 'echo-desk');
  for (const text of ['it fails', 'it is fine']) {
    const { end, calls } = await runWithTools(person, echoing, text);
    ends.push(
      end,
      ...calls.filter(({ toolName }) => toolName.startsWith('echo')).map(({ content }) => content ?? ''),
    );
  }

  const { connectors } = await person.query(operations.connectors, { ...own });
  const connectorId = connectors.find(({ slug }) => slug === 'orders')!.id;
  const binding = { projectId: own.projectId, connectorId, name: 'mistaken' };
  for (const secret of [
    [{ name: 'wrong', value: mistyped }],
    [{ name: 'apiKey', value: [mistyped] }],
    { apiKey: mistyped },
    mistyped,
  ]) {
    const { connectorBind } = await person.query(operations.connectorBind, {
      input: { ...binding, secret, idempotencyKey: crypto.randomUUID() },
    });
    ends.push(...connectorBind.errors.map(({ code }) => code));
  }

  await person.query(rotating, {
    input: {
      bindingId: own.bindings.orders,
      expectedVersion: 1,
      secret: [{ name: 'apiKey', value: rotated }],
    },
  });
  ends.push((await runWithTools(person, own.instanceId, 'Where is order A-1043?')).end);
  ends.push(await refusedCall(own));
  for (const id of [...Object.values(own.bindings), echoBinding])
    ends.push((await person.query(revoking, { id })).connectorBindingRevoke.connectorBinding.state);

  await ordered('export telemetry');
  insides = await partsOf(insidesOf(`http://127.0.0.1:${inspectorPort}`));
}, 240_000);

afterAll(async () => {
  const gone = once(child, 'exit');
  await ordered('stop');
  await gone;
  collector.stop();
  echo.stop();
  fs.rmSync(home, { recursive: true, force: true });
});

const importing =
  'mutation ($input: ConnectorImportInput!) { connectorImport(input: $input) { connector { id } errors { code message } } }';
const rotating =
  'mutation ($input: ConnectorBindingRotateInput!) { connectorBindingRotate(input: $input) { connectorBinding { state secretVersion } errors { code message } } }';
const revoking =
  'mutation ($id: ID!) { connectorBindingRevoke(input: { bindingId: $id }) { connectorBinding { state } errors { code } } }';

async function startStore(inspectorPort: number): Promise<void> {
  const postgres = await testDatabase();
  adminUrl = postgres.adminUrl;
  const options: SearchedStoreOptions = {
    stateDir,
    ports: await freePorts(),
    postgres: { adminUrl, appUrl: postgres.url },
    privateOrigins: [echo.origin],
    collectorUrl: collector.url,
  };
  child = spawn(
    process.execPath,
    [
      `--inspect=127.0.0.1:${inspectorPort}`,
      path.join(import.meta.dirname, 'searched-store.ts'),
      JSON.stringify(options),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (text: Buffer) => printed.write(text));
  described = (await told()) as DevDescription;
}

async function told(): Promise<Told> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error(`the store ended:\n${String([...printed][0]?.content)}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), exit])) as [Told];
  exit.catch(() => undefined);
  ended.abort();
  return message;
}

async function ordered(order: Order): Promise<void> {
  const done = told();
  child.send(order);
  await done;
}

/** The demo's buyer, each of whose answers is kept. */
async function buyer(): Promise<Caller> {
  const { oidc, users, urls } = described;
  const user = users.find(({ email }) => email.startsWith('buyer@'))!;
  const { accessToken: token } = await signIn({ ...oidc, ...user });
  const graph = graphClient({ url: urls.graphql, token });
  afterAll(() => graph.close());
  const query: Caller['query'] = async (document, variables = {}) => {
    const response = await fetch(urls.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: document, variables }),
    });
    const text = await response.text();
    answers.push(text, [...response.headers]);
    const { data, errors } = JSON.parse(text) as { data?: Data; errors?: unknown };
    if (!data || errors) throw new Error(`the graph answered ${text}`);
    return data;
  };
  return {
    email: user.email,
    query,
    async *subscribe(document, variables) {
      for await (const data of graph.subscribe<Data>(document, variables)) {
        answers.push(data);
        yield data;
      }
    },
    async waitFor(document, variables, wanted) {
      for (const until = Date.now() + 60_000; Date.now() < until;) {
        const found = wanted(await query(document, variables));
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`what was waited for did not come: ${document}`);
    },
    run: async (instanceId, input) =>
      (
        await query(
          'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id state } errors { code message } } }',
          { input: { instanceId, input, idempotencyKey: crypto.randomUUID() } },
        )
      ).runStart,
  };
}

/** A call of a tool that the policy does not name, by a token of the runs' own. */
async function refusedCall(own: Awaited<ReturnType<typeof toolAgent>>): Promise<string> {
  const { runTokens } = await devSecrets(stateDir);
  const origin = described.urls.tools;
  const sign = await runTokenSigner(runTokens.privateJwk, origin);
  const token = await sign(
    {
      organizationId: fromGlobalId('Organization', own.organizationId)!,
      projectId: fromGlobalId('Project', own.projectId)!,
      instanceId: fromGlobalId('Instance', own.instanceId)!,
      runId: crypto.randomUUID(),
      fence: 1,
      owner: 'http://runner.internal',
      tools: ['orders__drop_all'],
      bindings: [fromGlobalId('ConnectorBinding', own.bindings.orders)!],
    },
    60,
  );
  const answer = await fetch(`${origin}/v1/tools/orders__drop_all:invoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"arguments":{}}',
  });
  const body = (await answer.json()) as { code: string };
  answers.push(body);
  return body.code;
}

async function partsOf(place: Place): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of place) parts.push(part);
  return parts;
}

const where = async (place: Place): Promise<string[]> => {
  const parts = await partsOf(place);
  const found = await Promise.all(secrets.map((secret) => findSecret(parts, secret)));
  return found.flat().map((one) => `${one.where}: ${one.spelling}`);
};

describe('after secrets were bound, used, sent back, rotated and revoked', () => {
  it('and all of that happened', () => {
    expect(ends).toEqual([
      'RunFinished',
      'RunFailed',
      expect.stringMatching(/HTTP 400.*redacted:secret/s),
      'RunFinished',
      expect.stringMatching(/redacted:secret/),
      'SECRET_FIELDS_MISMATCH',
      'INVALID_SECRET',
      'INVALID_SECRET',
      'INVALID_SECRET',
      // The demo's upstream does not know the secret after the rotation.
      'RunFailed',
      'TOOL_DENIED',
      'REVOKED',
      'REVOKED',
      'REVOKED',
    ]);
    expect(echo.calls()).toBe(2);
  });
  it('none is in what the store says: its log, what it prints, answers of the graph, errors and events of runs', async () => {
    expect(fs.statSync(path.join(stateDir, 'agentstore.log')).size).toBeGreaterThan(0);
    expect(await where(printed)).toEqual([]);
    expect(await where(valuesOf('answer', answers))).toEqual([]);
  });
  it('none is in spans or metrics', async () => {
    const sent = [collector.received('traces'), collector.received('metrics')];
    for (const { content } of sent) expect(String(content)).toContain('echo__find_order');
    expect(await where(sent)).toEqual([]);
  });
  it('none is in the database', async () => {
    expect(await where(database(adminUrl))).toEqual([]);
  });
  it('none is in any object of Git', async () => {
    expect(await where(repository(described.directories.git))).toEqual([]);
  });
  it('none is in a file of the store: log, object storage, secret store at rest', async () => {
    const all = files(stateDir);
    for (const folder of ['agentstore.log', 'objects/', 'vault/', 'git/'])
      expect(all.some(({ where: file }) => file.startsWith(path.join(stateDir, folder)))).toBe(true);
    // What the demo organization's own servers accept lies beside the store, as the organization's.
    expect(await where(all.filter(({ where: file }) => path.basename(file) !== secretsFile))).toEqual([]);
  });
  // A secret is a variable of the document, as everywhere here: the texts of documents are kept for the next time they are asked.
  it("none is in the store's process: its diagnostic report, its heap", async () => {
    expect(insides.map((part) => part.where)).toEqual(['diagnostic report', 'heap snapshot']);
    expect(await where(insides)).toEqual([]);
  });
});
