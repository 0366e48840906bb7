import zlib from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import { recordTelemetry } from '@agentstore/kernel/testing/telemetry';
import { SecretDenied, SecretMissing, SecretStoreUnavailable } from '@agentstore/kernel/vault/secret-store';
import { answerJson } from '../testing/counting-upstream.ts';
import { openGateway, ordersConnector, type Gateway } from '../testing/tool-gateway.ts';

const find = { arguments: { number: 'A-1' } };
const cancel = { arguments: { number: 'A-1' } };
const codeOf = (answer: Awaited<ReturnType<Gateway['invoke']>>) => [answer.status, answer.body['code']];
const until = async (check: () => boolean): Promise<void> => {
  await expect.poll(check).toBe(true);
};

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});

/** Registers the orders connector with other members and lets the policy pin it. */
function use(more: object, rule: object = {}): void {
  const hash = gateway.register(ordersConnector(gateway.upstream.origin, more));
  gateway.apply([gateway.ruleOf('cancel_order', hash, rule), gateway.ruleOf('find_order', hash, rule)]);
}

describe('the order of a call', () => {
  it('is: decided and the owner told, then the secret, then the call, then written down and told', async () => {
    gateway.upstream.answer((_request, response) => {
      gateway.steps.push('upstream');
      response.end('found');
    });
    const answer = await gateway.invoke('orders__find_order', find);
    expect(answer.body).toEqual({
      auditId: gateway.decisions[0]!.id,
      result: { content: [{ type: 'text', text: 'found' }], isError: false },
      replayed: false,
    });
    expect(gateway.steps.slice(0, 2).sort()).toEqual(['decided:ALLOWED', 'owner:started']);
    expect(gateway.steps.slice(2, 4)).toEqual(['secret', 'upstream']);
    expect(gateway.steps.slice(4).sort()).toEqual(['completed', 'owner:ended']);
    expect(gateway.decisions).toMatchObject([
      {
        runId: gateway.grant.runId,
        toolId: 'orders__find_order',
        definition: gateway.orders,
        bindingId: gateway.bindingId,
        policyVersion: `${gateway.grant.instanceId}@7`,
        policyCommit: 'c0ffee',
        reason: 'ALLOWED_BY_POLICY',
        argumentNames: ['number'],
        claimedTenantMismatch: false,
      },
    ]);
    expect(gateway.completions).toMatchObject([
      {
        outcome: 'OK',
        secretVersion: 1,
        destination: { origin: gateway.upstream.origin, address: '127.0.0.1' },
        method: 'GET',
        upstreamStatus: 200,
        attempts: 1,
        bytesIn: 5,
      },
    ]);
  });

  it('ends before anything is read when the decision cannot be written down; a refusal says so too', async () => {
    gateway.faults.audit = new Error('down');
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect(gateway.steps).toEqual(['owner:started', 'owner:ended']);
    expect(codeOf(await gateway.invoke('orders__nothing', find))).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect(gateway.reads).toEqual([]);
    expect(gateway.upstream.connections()).toBe(0);
  });

  it('gives no answer that could not be written down', async () => {
    gateway.faults.complete = new Error('down');
    const answer = await gateway.invoke('orders__find_order', find);
    expect(codeOf(answer)).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect(answer.body['result']).toBeUndefined();
  });

  it.each([
    ['RUN_FENCED', 409, 410, 'RUN_ENDED'],
    ['RUN_ENDED', 410, 410, 'RUN_ENDED'],
    ['INTERNAL', 500, 503, 'RUN_OWNER_UNAVAILABLE'],
  ])('ends when the owner answers %s', async (code, told, status, refused) => {
    gateway.faults.owner = problemResponse({ status: told, code, title: code });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([status, refused]);
    expect(gateway.completions).toMatchObject([{ outcome: refused, attempts: 0 }]);
    expect(gateway.reads).toEqual([]);
  });
});

describe('the secret', () => {
  it('is read once by a hundred calls at the same time, and not again for those that follow', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => gateway.invoke('orders__find_order', find, {}, { runId: uuidv7() })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await gateway.invoke('orders__find_order', find);
    expect(gateway.reads).toHaveLength(1);
  });

  it('is read for each call where none may be kept', async () => {
    gateway = await openGateway({ secretCacheMs: 0 });
    for (let i = 0; i < 2; i++) await gateway.invoke('orders__find_order', find);
    expect(gateway.reads).toHaveLength(2);
  });

  it.each([
    [new SecretStoreUnavailable('sealed'), 503, 'SECRET_STORE_UNAVAILABLE'],
    [new SecretDenied('403'), 502, 'SECRET_DENIED'],
    [new SecretMissing('404'), 409, 'BINDING_SECRET_MISSING'],
  ])('%s ends the call, and the next one asks again', async (fault, status, code) => {
    gateway.faults.secret = fault;
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([status, code]);
    expect(gateway.upstream.connections()).toBe(0);
    delete gateway.faults.secret;
    expect((await gateway.invoke('orders__find_order', find)).status).toBe(200);
  });

  it('of another version is read when the watch says so', async () => {
    await gateway.invoke('orders__find_order', find);
    gateway.secrets.set(gateway.bindingId, { version: 2, fields: { apiKey: 'another-key' } });
    gateway.watch.tell({ type: 'BINDING', bindingId: gateway.bindingId, state: 'ACTIVE', secretVersion: 2 });
    await expect
      .poll(async () => {
        await gateway.invoke('orders__find_order', find);
        return gateway.upstream.requests.at(-1)?.headers['x-api-key'];
      })
      .toBe('another-key');
    expect(gateway.reads).toHaveLength(2);
  });

  it('that an upstream does not take is read anew; with another version the call is made once more', async () => {
    await gateway.invoke('orders__find_order', find);
    gateway.secrets.set(gateway.bindingId, { version: 2, fields: { apiKey: 'another-key' } });
    gateway.upstream.answer((request, response) => {
      response.statusCode = request.headers['x-api-key'] === 'another-key' ? 200 : 401;
      response.end();
    });
    const answer = await gateway.invoke('orders__cancel_order', cancel);
    expect(answer.body['result']).toMatchObject({ isError: false });
    expect(gateway.completions.at(-1)).toMatchObject({ outcome: 'OK', secretVersion: 2 });
  });

  it('that stays refused is told to the control plane, without another call', async () => {
    gateway.upstream.answer((_request, response) => void response.writeHead(401).end('no'));
    const answer = await gateway.invoke('orders__find_order', find);
    expect(answer.body['result']).toMatchObject({ isError: true });
    expect(gateway.upstream.requests).toHaveLength(1);
    await until(() => gateway.observed.length > 0);
    expect(gateway.observed).toMatchObject([{ bindingId: gateway.bindingId, unauthorized: true }]);
  });
});

describe('what is taken back', () => {
  it('a revoked binding ends the call that uses it and refuses the next one', async () => {
    gateway.upstream.answer(() => undefined); // hangs
    const underWay = gateway.invoke('orders__find_order', find);
    await until(() => gateway.upstream.requests.length === 1);
    gateway.watch.tell({ type: 'BINDING', bindingId: gateway.bindingId, state: 'REVOKED', secretVersion: 1 });
    expect(codeOf(await underWay)).toEqual([410, 'BINDING_REVOKED']);
    expect(gateway.completions).toMatchObject([{ outcome: 'BINDING_REVOKED' }]);
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([410, 'BINDING_REVOKED']);
    expect(gateway.reads).toHaveLength(1);
  });

  it('an instance that is paused, by the watch or by its policy, calls nothing', async () => {
    gateway.apply([gateway.ruleOf('find_order', gateway.orders)], { desiredPhase: 'Paused' });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([403, 'INSTANCE_NOT_ACTIVE']);
    gateway.apply([gateway.ruleOf('find_order', gateway.orders)]);
    gateway.watch.tell({ type: 'INSTANCE', instanceId: gateway.grant.instanceId, phase: 'Paused' });
    await expect
      .poll(async () => codeOf(await gateway.invoke('orders__find_order', find)))
      .toEqual([403, 'INSTANCE_NOT_ACTIVE']);
    const other = await gateway.invoke('orders__find_order', find, {}, { instanceId: uuidv7() });
    expect(codeOf(other)).toEqual([403, 'INSTANCE_NOT_ACTIVE']);
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string, body: object = cancel, tool = 'orders__cancel_order') =>
    gateway.invoke(tool, body, { 'idempotency-key': key });

  it('makes one call of two, and of two at the same time; for other arguments it is a conflict', async () => {
    const first = await keyed('k');
    const again = await keyed('k');
    expect(again.body).toEqual({ ...first.body, auditId: again.body['auditId'], replayed: true });
    expect(codeOf(await keyed('k', { arguments: { number: 'B' } }))).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    const answers = await Promise.all([keyed('k2'), keyed('k2')]);
    expect(answers.filter(({ body }) => body['replayed'] === false)).toHaveLength(1);
    expect(gateway.upstream.requests).toHaveLength(2);
    expect(gateway.decisions).toHaveLength(5);
  });

  it('is another one at the upstream for each instance and tool, which an upstream that knows no callers cannot tell apart', async () => {
    gateway.apply([
      gateway.ruleOf('cancel_order', gateway.orders),
      gateway.ruleOf('cancel_order', gateway.orders, { tool: 'orders__cancel_other' }),
    ]);
    const tools = ['orders__cancel_order', 'orders__cancel_other'];
    for (const tool of tools) await gateway.invoke(tool, cancel, { 'idempotency-key': 'k' }, { tools });
    const keys = gateway.upstream.requests.map(({ headers }) => headers['idempotency-key']);
    expect(new Set([...keys, 'k']).size).toBe(3);
  });

  it('keeps what is already masked', async () => {
    gateway.upstream.answer((request, response) => void response.end(String(request.headers['x-api-key'])));
    await keyed('k');
    expect((await keyed('k')).body).toMatchObject({
      replayed: true,
      result: { content: [{ text: '[redacted:secret]' }] },
    });
  });

  it('of a write that broke off stays taken, of one that never left is free again', async () => {
    gateway.upstream.answer((request) => void request.socket.destroy());
    expect(codeOf(await keyed('k'))).toEqual([502, 'UPSTREAM_UNAVAILABLE']);
    expect(codeOf(await keyed('k'))).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    gateway.faults.secret = new SecretStoreUnavailable('sealed');
    gateway.watch.tell({ type: 'BINDING', bindingId: gateway.bindingId, state: 'ACTIVE', secretVersion: 9 });
    await expect.poll(async () => codeOf(await keyed(uuidv7()))).toEqual([503, 'SECRET_STORE_UNAVAILABLE']);
    await keyed('k3');
    delete gateway.faults.secret;
    gateway.upstream.answer(answerJson({ done: true }));
    expect((await keyed('k3')).body).toMatchObject({ replayed: false });
  });

  it.each(['', 'x'.repeat(201), 'ü'])('%j is none', async (key) => {
    expect(codeOf(await keyed(key))).toEqual([400, 'INVALID_IDEMPOTENCY_KEY']);
  });
});

describe('an upstream', () => {
  it.each([
    ['reads', 'orders__find_order', {}, 3],
    ['writes', 'orders__cancel_order', {}, 1],
    ['writes under a key', 'orders__cancel_order', { 'idempotency-key': 'k' }, 3],
  ])('that is away is asked again when the tool %s', async (_what, tool, headers, times) => {
    gateway.upstream.answer((_request, response) => void response.writeHead(503).end());
    const answer = await gateway.invoke(tool, find, headers);
    expect(answer.body['result']).toMatchObject({ isError: true });
    expect(gateway.upstream.requests).toHaveLength(times);
    expect(gateway.completions).toMatchObject([
      { outcome: 'TOOL_ERROR', upstreamStatus: 503, attempts: times },
    ]);
  });

  const gzipOfNothing = zlib.gzipSync(Buffer.alloc(20_000_000));
  it.each([
    ['a bomb', { 'content-encoding': 'gzip' }, gzipOfNothing, 'RESPONSE_TOO_LARGE'],
    ['too much', {}, Buffer.alloc(2_000_000), 'RESPONSE_TOO_LARGE'],
    ['broken compression', { 'content-encoding': 'br' }, Buffer.from('no'), 'UPSTREAM_INVALID'],
    ['an unknown coding', { 'content-encoding': 'x' }, Buffer.from('no'), 'UPSTREAM_INVALID'],
    ['broken JSON', { 'content-type': 'application/json' }, Buffer.from('{'), 'UPSTREAM_INVALID'],
    [
      'a deep value',
      { 'content-type': 'application/json' },
      Buffer.from('['.repeat(9e5)),
      'UPSTREAM_INVALID',
    ],
    ['no text', { 'content-type': 'text/plain' }, Buffer.from([0xff]), 'UPSTREAM_INVALID'],
  ])('that answers %s is refused', async (_what, headers, body, code) => {
    gateway.upstream.answer((_request, response) => void response.writeHead(200, headers).end(body));
    expect(codeOf(await gateway.invoke('orders__find_order', find))[1]).toBe(code);
    expect(gateway.completions).toMatchObject([{ outcome: code }]);
  });

  it('that hangs, or goes on for ever, is left at the deadline; one that streams too much, at once', async () => {
    use({ timeoutMs: 300 });
    gateway.upstream.answer(() => undefined);
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([504, 'UPSTREAM_TIMEOUT']);
    gateway.upstream.answer((_request, response) => {
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([504, 'UPSTREAM_TIMEOUT']);
    use({ timeoutMs: 30_000 });
    let closed = false;
    gateway.upstream.answer((_request, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(400_000)), 1);
      response.on('close', () => {
        closed = true;
        clearInterval(timer);
      });
    });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([502, 'RESPONSE_TOO_LARGE']);
    await until(() => closed);
  });

  it('that does not keep to its output schema is refused', async () => {
    const [tool] = ordersConnector(gateway.upstream.origin).tools;
    use({ tools: [{ ...tool, outputSchema: { type: 'object', required: ['total'] } }] });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([502, 'UPSTREAM_INVALID']);
    gateway.upstream.answer(answerJson({ total: 1 }));
    expect((await gateway.invoke('orders__find_order', find)).status).toBe(200);
  });

  it('of a kind that is not served is not called', async () => {
    use({ kind: 'RAG' });
    expect(codeOf(await gateway.invoke('orders__find_order', find))).toEqual([
      501,
      'CONNECTOR_KIND_NOT_SERVED',
    ]);
  });
});

it('measures calls by the tools that a run has, and every other name as one', async () => {
  const telemetry = recordTelemetry();
  for (const tool of ['orders__find_order', 'orders__made_up_1', 'made up 2'])
    await gateway.invoke(tool, find);
  const served = (await telemetry.histograms()).find(({ name }) => name === 'mcp.server.operation.duration');
  const names = served!.points.map(({ attributes }) => attributes['gen_ai.tool.name']);
  expect(new Set(names)).toEqual(new Set(['orders__find_order', 'unknown']));
});

it('refuses more calls than a run may have, and says when to come again', async () => {
  gateway = await openGateway({ maxCallsPerRun: 1, mostCallsOfRun: 2 });
  gateway.upstream.answer(() => undefined);
  const underWay = gateway.invoke('orders__find_order', find);
  await until(() => gateway.upstream.requests.length === 1);
  const second = await gateway.invoke('orders__find_order', find);
  expect(codeOf(second)).toEqual([429, 'TOO_MANY_CALLS']);
  expect(second.headers.get('retry-after')).toBe('1');
  gateway.watch.tell({ type: 'BINDING', bindingId: gateway.bindingId, state: 'REVOKED' });
  await underWay;
  await gateway.invoke('orders__find_order', find);
  const fourth = await gateway.invoke('orders__find_order', find);
  expect(fourth.body).toMatchObject({ code: 'TOO_MANY_CALLS', mostCallsOfRun: 2 });
  expect((await gateway.invoke('orders__find_order', find, {}, { runId: uuidv7() })).body['code']).toBe(
    'BINDING_REVOKED',
  );
});
