import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { expect, it, onTestFinished, vi } from 'vitest';
import { uuidv7 } from '../ids.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { SecretConflict, SecretDenied, SecretMissing, SecretStoreUnavailable } from './secret-store.ts';
import { createTenantSessions, readerLogin } from './tenant-sessions.ts';
import { createVaultTransport } from './transport.ts';
import { createVaultReader, createVaultWriter } from './vault-secrets.ts';

/** As node-vault itself would require. */
const nodeVaultRequire = createRequire(createRequire(import.meta.url).resolve('node-vault'));
const pair = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(pair.privateKey)), kid: 'tools-1' };
const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'tools-1' }] };
const ref = { organizationId: uuidv7(), projectId: uuidv7(), bindingId: uuidv7() };
const at = `connectors/${ref.organizationId}/${ref.projectId}/${ref.bindingId}`;
const value = 'sk-very-secret-value';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly body: unknown;
}
type Answer = readonly [status: number, body?: unknown] | ((answer: http.ServerResponse) => void);

const good: Answer = [200, { data: { data: { apiKey: value }, metadata: { version: 4 } } }];
const loggedIn = (n: number): Answer => [200, { auth: { client_token: `t${n}`, lease_duration: 300 } }];

/** For what is to come of itself, on a slow machine too. */
const patientMs = 60_000;

/** A server that answers logins with `t1`, `t2`, …, and everything else as the test says. */
async function vault(
  answerTo: (asked: Asked) => Answer = () => good,
  login = loggedIn,
  deadlineMs = patientMs,
) {
  const asked: Asked[] = [];
  const logins = (): Asked[] => asked.filter(({ url }) => url.startsWith('/v1/auth/'));
  const server = http.createServer((request, answer) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const one = {
        method: request.method!,
        url: request.url!,
        token: request.headers['x-vault-token'] as string | undefined,
        body: text ? (JSON.parse(text) as unknown) : undefined,
      };
      asked.push(one);
      const how = one.url.startsWith('/v1/auth/') ? login(logins().length) : answerTo(one);
      if (typeof how === 'function') how(answer);
      else answer.writeHead(how[0]).end(how[1] === undefined ? undefined : JSON.stringify(how[1]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.close().closeAllConnections());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { origin, key, deadlineMs };
  const [reader, writer] = await Promise.all([createVaultReader(options), createVaultWriter(options)]);
  onTestFinished(async () => void (await Promise.all([reader.close(), writer.close()])));
  const data = (): Asked[] => asked.filter(({ url }) => !url.startsWith('/v1/auth/'));
  return { origin, reader, writer, asked, logins, data };
}

function withEnvironment(variables: Record<string, string>): void {
  for (const [name, text] of Object.entries(variables)) vi.stubEnv(name, text);
  onTestFinished(() => void vi.unstubAllEnvs());
}

const failure = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );

it('reads a secret with the token of its project, and logs in once', async () => {
  const { reader, asked, logins } = await vault();
  const secret = await reader.read(ref);
  expect(secret.version).toBe(4);
  expect(secret.fields.get('apiKey')).toEqual(Buffer.from(value));
  await reader.read(ref);
  expect(asked.map(({ method, url, token }) => [method, url, token])).toEqual([
    ['POST', '/v1/auth/agentstore-tools/login', undefined],
    ['GET', `/v1/kv/data/${at}`, 't1'],
    ['GET', `/v1/kv/data/${at}`, 't1'],
  ]);
  const { role, jwt } = logins()[0]!.body as { role: string; jwt: string };
  expect(role).toBe('tool-gateway');
  const { payload } = await jwtVerify(jwt, createLocalJWKSet(jwks), {
    audience: 'vault',
    issuer: 'agentstore-tools',
    algorithms: ['ES256'],
  });
  expect(payload).toMatchObject({
    sub: `${ref.organizationId}:${ref.projectId}`,
    org: ref.organizationId,
    project: ref.projectId,
    jti: expect.any(String) as string,
  });
  expect(payload.exp! - payload.iat!).toBe(60);
});

it("keeps each project's token to itself", async () => {
  const { reader, data, logins } = await vault();
  const other = { ...ref, projectId: uuidv7() };
  await reader.read(ref);
  await reader.read(other);
  await reader.read(ref);
  expect(data().map(({ token }) => token)).toEqual(['t1', 't2', 't1']);
  expect(logins()).toHaveLength(2);
});

it('logs in anew after 80 % of the lease', async () => {
  const { reader, data } = await vault();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000_000);
  onTestFinished(() => clock.mockRestore());
  await reader.read(ref);
  clock.mockReturnValue(1_239_000);
  await reader.read(ref);
  clock.mockReturnValue(1_241_000);
  await reader.read(ref);
  expect(data().map(({ token }) => token)).toEqual(['t1', 't1', 't2']);
});

it('logs in once for 50 who read at once', async () => {
  const { reader, logins, data } = await vault();
  await Promise.all(Array.from({ length: 50 }, () => reader.read(ref)));
  expect(logins()).toHaveLength(1);
  expect(data()).toHaveLength(50);
});

it('shows a secret to no log, no inspection and no JSON', async () => {
  const { reader } = await vault();
  const secret = await reader.read(ref);
  for (const shown of [inspect(secret, { depth: 9 }), JSON.stringify(secret), inspect(secret.fields)]) {
    expect(shown).toContain('[secret]');
    expect(shown).not.toMatch(/sk-|Buffer/);
  }
});

it.each([
  '../../x',
  '%2e%2e',
  '+',
  '*',
  `${ref.bindingId}/`,
  `${ref.bindingId}?version=1`,
  ref.bindingId.toUpperCase(),
])('refuses the id %s before it asks anything', async (bad) => {
  const { reader, writer, asked } = await vault();
  for (const member of ['organizationId', 'projectId', 'bindingId']) {
    const somewhere = { ...ref, [member]: bad };
    await expect(reader.read(somewhere)).rejects.toBeInstanceOf(SecretDenied);
    await expect(writer.write(somewhere, { apiKey: value }, 0)).rejects.toBeInstanceOf(SecretDenied);
    await expect(writer.remove(somewhere)).rejects.toBeInstanceOf(SecretDenied);
  }
  expect(asked).toEqual([]);
});

it('signs no login for an id that is a wildcard, whoever asks', async () => {
  const login = vi.fn(async () => ({ token: 't', seconds: 300 }));
  const sessions = await createTenantSessions({ login }, readerLogin, key);
  const tenant = { organizationId: '+', projectId: ref.projectId };
  await expect(
    sessions.as(tenant, AbortSignal.timeout(patientMs), async () => 'read'),
  ).rejects.toBeInstanceOf(SecretDenied);
  expect(login).not.toHaveBeenCalled();
});

it.each(['/v1/kv/data/a/../../b', '/v1/kv/data/a/%2e%2e/b', '/v1/kv/data/a\\..\\b', '@127.0.0.1:1/v1/kv'])(
  'sends nothing to a URL that means another place than it seems: %s',
  async (rest) => {
    const { origin, asked } = await vault();
    const transport = createVaultTransport(origin, patientMs);
    onTestFinished(() => transport.close());
    const request = { method: 'GET', headers: {}, signal: AbortSignal.timeout(patientMs) };
    const sent = transport.send({ ...request, uri: `${origin}${rest}` });
    await expect(sent).rejects.toThrow(/was not sent/);
    expect(asked).toEqual([]);
  },
);

it('follows no redirect, and so sends its token nowhere else', async () => {
  const elsewhere = await vault();
  const { reader, data } = await vault(() => (answer) => {
    answer.writeHead(307, { location: `${elsewhere.origin}/v1/kv/data/${at}` }).end();
  });
  await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
  expect(data()).toHaveLength(1);
  expect(elsewhere.asked).toEqual([]);
});

it.each<[string, Answer]>([
  ['never answers', () => undefined],
  ['stalls in its answer', (answer) => void answer.writeHead(200).write('{"data":')],
  ['cuts its answer', (answer) => void answer.writeHead(200).write('{', () => answer.destroy())],
  [
    'answers with something else than HTTP',
    (answer) => void answer.socket!.end(`HTTP/1.1 200 OK\r\nno header\r\n${value}\r\n\r\n`),
  ],
  ['answers with something else than JSON', (answer) => void answer.end(`<html>${value}`)],
  [
    'answers in another form',
    [200, { data: { data: { apiKey: { [value]: 1 } }, metadata: { version: 1 } } }],
  ],
  ['is sealed', [503, { errors: ['Vault is sealed'] }]],
  ['has a fault', [500, { errors: [value] }]],
  ['is asked too often', [429, {}]],
  [
    'says more than it may',
    (answer) => void answer.writeHead(200, { 'content-length': '1073741824' }).write('{'),
  ],
])('says that the store is unavailable when it %s, and nothing of what it said', async (_name, how) => {
  const { reader } = await vault(() => how, loggedIn, 400);
  const error = await failure(reader.read(ref));
  expect(error).toBeInstanceOf(SecretStoreUnavailable);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(value);
});

it('reads no further than a secret can be long, when a gigabyte comes', async () => {
  let sent = 0;
  let over = (): void => undefined;
  const ended = new Promise<void>((resolve) => (over = resolve));
  const { reader } = await vault(() => (answer) => {
    const piece = Buffer.alloc(65_536, 'x');
    const more = (): void => {
      while (sent < 1_073_741_824 && !answer.destroyed && answer.write(piece)) sent += piece.length;
    };
    answer.writeHead(200).on('drain', more).on('close', over);
    more();
  });
  await expect(reader.read(ref)).rejects.toThrow(/UND_ERR_RES_EXCEEDED_MAX_SIZE/);
  await ended;
  expect(sent).toBeLessThan(32 * 1_048_576);
});

it('says that a store is unavailable which nobody serves, which is sealed at the login, or whose login hangs', async () => {
  const nobody = await createVaultReader({ origin: 'http://127.0.0.1:1', key, deadlineMs: patientMs });
  await expect(nobody.read(ref)).rejects.toThrow(/ECONNREFUSED/);
  const sealed = await vault(
    () => good,
    () => [503, { errors: ['Vault is sealed'] }],
  );
  await expect(sealed.reader.read(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
  const slow = await vault(
    () => good,
    () => () => undefined,
    400,
  );
  await expect(slow.reader.read(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
});

it('logs in again after a failed login', async () => {
  const { reader } = await vault(
    () => good,
    (n) => (n === 1 ? [500, {}] : loggedIn(n)),
  );
  await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
  expect((await reader.read(ref)).version).toBe(4);
});

it('logs in once more when its token is refused, and no more than once', async () => {
  const ended = await vault(({ token }) => (token === 't1' ? [403, {}] : good));
  await Promise.all([ended.reader.read(ref), ended.reader.read(ref), ended.reader.read(ref)]);
  expect(ended.logins()).toHaveLength(2);
  const denied = await vault(() => [403, { errors: [`permission denied ${value}`] }]);
  const error = await failure(denied.reader.read(ref));
  expect(error).toBeInstanceOf(SecretDenied);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(value);
  expect(denied.data().map(({ token }) => token)).toEqual(['t1', 't2']);
});

it('says denied when the store refuses its login', async () => {
  const { reader, data } = await vault(
    () => good,
    () => [400, { errors: ['error validating token: invalid audience'] }],
  );
  await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretDenied);
  expect(data()).toEqual([]);
});

it.each<[string, unknown]>([
  ['was never written, or is gone', { errors: [] }],
  ['is deleted', { data: { data: null, metadata: { version: 4, deletion_time: '2026-01-01T00:00:00Z' } } }],
])('says missing of a secret that %s', async (_name, body) => {
  const { reader } = await vault(() => [404, body]);
  await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretMissing);
});

it('writes the version after the one it knows, and says when another was written meanwhile', async () => {
  const mismatch = 'check-and-set parameter did not match the current version';
  const { writer, data, logins } = await vault(({ body }) =>
    (body as { options: { cas: number } }).options.cas === 2
      ? [400, { errors: [mismatch] }]
      : [200, { data: { version: 1 } }],
  );
  expect(await writer.write(ref, { apiKey: value }, 0)).toBe(1);
  const error = await failure(writer.write(ref, { apiKey: value }, 2));
  expect(error).toBeInstanceOf(SecretConflict);
  expect(data()).toMatchObject([
    { method: 'POST', url: `/v1/kv/data/${at}`, body: { options: { cas: 0 }, data: { apiKey: value } } },
    { body: { options: { cas: 2 } } },
  ]);
  expect(logins()).toMatchObject([
    { url: '/v1/auth/agentstore-control-plane/login', body: { role: 'connector-writer' } },
  ]);
});

it('removes every version, and what is gone is removed', async () => {
  const { writer, data } = await vault(() => [204]);
  await writer.remove(ref);
  expect(data()).toMatchObject([{ method: 'DELETE', url: `/v1/kv/metadata/${at}`, token: 't1' }]);
  const gone = await vault(() => [404, { errors: [] }]);
  await gone.writer.remove(ref);
});

it.each<[string, Answer, RegExp]>([
  ['sealed', [503, { initialized: true, sealed: true, standby: true }], /store is sealed$/],
  ['a standby', [429, { initialized: true, sealed: false, standby: true }], /store is a standby$/],
  ['not set up', [501, { initialized: false, sealed: true, standby: true }], /store is not initialized$/],
  ['something else', [200, 'hello'], /unknown form$/],
])('is not ready when the store is %s', async (_name, how, words) => {
  const { reader } = await vault(() => how);
  await expect(reader.ready()).rejects.toThrow(words);
});

it('is ready without a token', async () => {
  const { reader, asked } = await vault(() => [200, { initialized: true, sealed: false, standby: false }]);
  await reader.ready();
  expect(asked).toMatchObject([{ url: '/v1/sys/health', token: undefined }]);
});

it('takes nothing from the environment: no token, no prefix, no namespace, no proxy, and prints nothing', async () => {
  const proxy = await vault();
  withEnvironment({
    VAULT_TOKEN: 'root',
    VAULT_PREFIX: '/elsewhere',
    VAULT_NAMESPACE: 'other',
    VAULT_ADDR: proxy.origin,
    HTTP_PROXY: proxy.origin,
    http_proxy: proxy.origin,
    ALL_PROXY: proxy.origin,
    NODE_USE_ENV_PROXY: '1',
  });
  const debug = nodeVaultRequire('debug') as { enable(names: string): void; disable(): void };
  debug.enable('node-vault');
  const printed = vi.spyOn(process.stderr, 'write');
  const { reader, writer, asked } = await vault(({ method }) =>
    method === 'GET' ? good : [200, { data: { version: 1 } }],
  );
  await writer.write(ref, { apiKey: value }, 0);
  await reader.read(ref);
  const output = JSON.stringify(printed.mock.calls);
  printed.mockRestore();
  debug.disable();
  expect(output).not.toContain(value);
  expect(asked.map(({ url, token }) => [url, token])).toEqual([
    ['/v1/auth/agentstore-control-plane/login', undefined],
    [`/v1/kv/data/${at}`, 't1'],
    ['/v1/auth/agentstore-tools/login', undefined],
    [`/v1/kv/data/${at}`, 't2'],
  ]);
  expect(proxy.asked).toEqual([]);
});

it.each(['false', 'true'])('verifies certificates when VAULT_SKIP_VERIFY says %s', async (said) => {
  withEnvironment({ VAULT_SKIP_VERIFY: said, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  let reached = 0;
  const server = https.createServer(selfSigned, (_request, answer) => {
    reached += 1;
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.close().closeAllConnections());
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reader = await createVaultReader({ origin, key, deadlineMs: patientMs });
  await expect(reader.read(ref)).rejects.toThrow(/DEPTH_ZERO_SELF_SIGNED_CERT/);
  expect(reached).toBe(0);
});
