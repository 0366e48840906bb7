import { randomUUID } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { processAccess } from '../../../infra/vault/access-rules.ts';
import { setupVault, type Done, type LoginKeys } from '../../../infra/vault/setup-vault.ts';

/** A running, unsealed Vault as its operator sees it. */
export interface VaultUnderTest {
  readonly url: string;
  readonly rootToken: string;
  readonly unsealKey: string;
}

interface Answered {
  readonly status: number;
  /** Undefined when there was none. */
  readonly body: unknown;
}
type Kind = keyof typeof processAccess;

const refused = (status: number, ...errors: readonly string[]): Answered => ({ status, body: { errors } });
const forbidden = refused(403, '1 error occurred:\n\t* permission denied\n\n');
const gone = refused(404);
const invalidToken = (why: string): Answered => refused(400, `error validating token: ${why}`);

/**
 * What the store expects of any Vault: the set-up, KV v2, logins bound to one organization and project, and the seal. `dev` says which of two
 * answers holds where the dev Vault is stricter than Vault 1.14.
 */
export function secretsCases(name: string, subject: () => VaultUnderTest, options: { dev: boolean }): void {
  describe(`${name}`, () => {
    let keys: Record<Kind, Awaited<ReturnType<typeof generateKeyPair>>>;
    let loginKeys: LoginKeys;

    const call = async (
      method: string,
      path: string,
      sent: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
    ): Promise<Answered> => {
      const answer = await fetch(`${subject().url}/v1/${path}`, {
        method,
        headers: { ...(sent.token === undefined ? {} : { 'x-vault-token': sent.token }), ...sent.headers },
        body: sent.body === undefined ? null : JSON.stringify(sent.body),
      });
      const text = await answer.text();
      return { status: answer.status, body: text ? (JSON.parse(text) as unknown) : undefined };
    };
    const asRoot = (method: string, path: string, body?: unknown): Promise<Answered> =>
      call(method, path, { token: subject().rootToken, body });
    const patch = (path: string, body: unknown): Promise<Answered> =>
      call('PATCH', path, {
        token: subject().rootToken,
        body,
        headers: { 'content-type': 'application/merge-patch+json' },
      });

    const sign = (
      kind: Kind,
      claims: JWTPayload,
      times: { issuedAt?: number; expiresAt?: number } = {},
    ): Promise<string> => {
      const issuedAt = times.issuedAt ?? Math.floor(Date.now() / 1_000);
      return new SignJWT({ aud: 'vault', iat: issuedAt, exp: times.expiresAt ?? issuedAt + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(keys[kind].privateKey);
    };
    const logInWith = (kind: Kind, jwt: string, role: string = processAccess[kind].role): Promise<Answered> =>
      call('POST', `auth/${processAccess[kind].mount}/login`, { body: { role, jwt } });
    const claimsOf = (org: string, project: string): JWTPayload => ({
      sub: `${org}:${project}`,
      org,
      project,
    });
    const logIn = async (kind: Kind, org: string, project: string): Promise<string> => {
      const { body } = await logInWith(kind, await sign(kind, claimsOf(org, project)));
      return (body as { auth: { client_token: string } }).auth.client_token;
    };
    /** A path of its own, so that cases do not meet. */
    const somewhere = () => {
      const [org, project, binding] = [randomUUID(), randomUUID(), randomUUID()];
      const path = `connectors/${org}/${project}/${binding}`;
      return { org, project, path, data: `kv/data/${path}`, metadata: `kv/metadata/${path}` };
    };
    const write = (path: string, cas: number, data: object): Promise<Answered> =>
      asRoot('POST', path, { options: { cas }, data });
    const setUp = async (): Promise<readonly Done[]> => {
      const report: Done[] = [];
      const { url, rootToken } = subject();
      await setupVault({ url, token: rootToken, loginKeys, report: (done) => report.push(done) });
      return report;
    };

    let first: readonly Done[];
    beforeAll(async () => {
      keys = { tools: await generateKeyPair('ES256'), controlPlane: await generateKeyPair('ES256') };
      loginKeys = {
        tools: [await exportSPKI(keys.tools.publicKey)],
        controlPlane: [await exportSPKI(keys.controlPlane.publicKey)],
      };
      first = await setUp();
    });

    describe('set-up', () => {
      it('makes everything once and keeps it from then on', async () => {
        expect(first.map(({ what, outcome }) => `${outcome} ${what}`)).toEqual([
          'made key-value engine kv/',
          'mended settings of kv/',
          'made auth mount agentstore-tools/',
          'made login keys of auth/agentstore-tools',
          'made policy agentstore-tools-read',
          'made role tool-gateway of auth/agentstore-tools',
          'made auth mount agentstore-control-plane/',
          'made login keys of auth/agentstore-control-plane',
          'made policy agentstore-connectors-write',
          'made role connector-writer of auth/agentstore-control-plane',
        ]);
        const second = await setUp();
        expect(second.map(({ what }) => what)).toEqual(first.map(({ what }) => what));
        expect(new Set(second.map(({ outcome }) => outcome))).toEqual(new Set(['kept']));
      });

      it('mends what somebody loosened', async () => {
        const loosened = [
          await asRoot('POST', 'kv/config', { cas_required: false }),
          await asRoot('POST', 'auth/agentstore-tools/role/tool-gateway', {
            role_type: 'jwt',
            user_claim: 'sub',
            token_policies: ['agentstore-connectors-write'],
          }),
          await asRoot('POST', 'sys/policies/acl/agentstore-tools-read', {
            policy: 'path "kv/*" { capabilities = ["read"] }',
          }),
        ];
        expect(loosened.map(({ status }) => status)).toEqual([204, 204, 204]);
        const mended = (await setUp()).filter(({ outcome }) => outcome !== 'kept');
        expect(mended).toEqual([
          { what: 'settings of kv/', outcome: 'mended' },
          { what: 'policy agentstore-tools-read', outcome: 'mended' },
          { what: 'role tool-gateway of auth/agentstore-tools', outcome: 'mended' },
        ]);
      });
    });

    describe('secrets', () => {
      it('are written against the version they replace, and read with it', async () => {
        const { data } = somewhere();
        expect(await write(data, 0, { key: 'one' })).toMatchObject({
          status: 200,
          body: {
            request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
            lease_id: '',
            renewable: false,
            data: { version: 1, deletion_time: '', destroyed: false, custom_metadata: null },
            wrap_info: null,
            warnings: null,
            auth: null,
          },
        });
        expect(await write(data, 1, { key: 'two' })).toMatchObject({
          status: 200,
          body: { data: { version: 2 } },
        });
        expect(await asRoot('GET', data)).toMatchObject({
          status: 200,
          body: { data: { data: { key: 'two' }, metadata: { version: 2, destroyed: false } } },
        });
        expect(await asRoot('GET', `${data}?version=1`)).toMatchObject({
          status: 200,
          body: { data: { data: { key: 'one' }, metadata: { version: 1 } } },
        });
        expect(await asRoot('GET', `${data}?version=3`)).toEqual(gone);
      });

      it('refuse a write that does not know what it replaces', async () => {
        const { data } = somewhere();
        await write(data, 0, { key: 'one' });
        const mismatch = refused(400, 'check-and-set parameter did not match the current version');
        const missing = refused(400, 'check-and-set parameter required for this call');
        expect(await write(data, 0, { key: 'two' })).toEqual(mismatch);
        expect(await write(data, 2, { key: 'two' })).toEqual(mismatch);
        expect(await asRoot('POST', data, { data: { key: 'two' } })).toEqual(missing);
        expect(await patch(data, { data: { key: 'two' } })).toEqual(missing);
        expect(await asRoot('POST', data, { options: { cas: 1 } })).toEqual(refused(400, 'no data provided'));
        expect(await asRoot('POST', data, { options: { cas: 'one' }, data: {} })).toEqual(
          refused(400, 'error parsing check-and-set parameter'),
        );
        expect(await asRoot('GET', data)).toMatchObject({ body: { data: { data: { key: 'one' } } } });
      });

      it('have one winner among writers at once', async () => {
        const { data } = somewhere();
        const answers = await Promise.all(
          Array.from({ length: 8 }, (_, at) => write(data, 0, { key: `writer ${at}` })),
        );
        expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
          200,
          ...Array.from({ length: 7 }, () => 400),
        ]);
        expect(await asRoot('GET', data)).toMatchObject({ body: { data: { metadata: { version: 1 } } } });
      });

      it('take a merge patch, and tell their names without their values', async () => {
        const { path, data } = somewhere();
        await write(data, 0, { keep: 'a', drop: 'b', deep: { inner: 'c', empty: {} } });
        expect(await patch(data, { options: { cas: 1 }, data: { drop: null, more: 'd' } })).toMatchObject({
          status: 200,
          body: { data: { version: 2 } },
        });
        expect(await asRoot('GET', data)).toMatchObject({
          body: { data: { data: { keep: 'a', more: 'd', deep: { inner: 'c' } } } },
        });
        const named = await asRoot('GET', `kv/subkeys/${path}`);
        expect(named).toMatchObject({
          status: 200,
          body: {
            data: {
              subkeys: { keep: null, more: null, deep: { inner: null, empty: null } },
              metadata: { version: 2 },
            },
          },
        });
        expect(await asRoot('GET', `kv/subkeys/${path}?depth=1`)).toMatchObject({
          body: { data: { subkeys: { keep: null, more: null, deep: null } } },
        });
        expect(await asRoot('PATCH', data, { options: { cas: 2 }, data: {} })).toMatchObject({ status: 415 });
        expect(await patch(somewhere().data, { options: { cas: 0 }, data: {} })).toEqual({
          status: 404,
          body: undefined,
        });
      });

      it('can be deleted and brought back', async () => {
        const { path, data } = somewhere();
        await write(data, 0, { key: 'one' });
        expect(await asRoot('DELETE', data)).toEqual({ status: 204, body: undefined });
        const deleted = {
          status: 404,
          body: {
            data: {
              data: null,
              metadata: {
                version: 1,
                destroyed: false,
                deletion_time: expect.stringMatching(/^20.+Z$/) as string,
              },
            },
          },
        };
        expect(await asRoot('GET', data)).toMatchObject(deleted);
        expect(await asRoot('POST', `kv/undelete/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
        expect(await asRoot('GET', data)).toMatchObject({
          status: 200,
          body: { data: { data: { key: 'one' } } },
        });
        expect(await asRoot('POST', `kv/delete/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
        expect(await asRoot('GET', data)).toMatchObject(deleted);
        expect(await asRoot('POST', `kv/delete/${path}`, {})).toEqual(
          refused(400, 'No version number provided'),
        );
      });

      it('can be destroyed for good, their facts staying', async () => {
        const { path, data } = somewhere();
        await write(data, 0, { key: 'one' });
        await write(data, 1, { key: 'two' });
        expect(await asRoot('PUT', `kv/destroy/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
        await asRoot('POST', `kv/undelete/${path}`, { versions: [1] });
        expect(await asRoot('GET', `${data}?version=1`)).toMatchObject({
          status: 404,
          body: { data: { data: null, metadata: { version: 1, destroyed: true } } },
        });
        expect(await asRoot('GET', data)).toMatchObject({
          status: 200,
          body: { data: { data: { key: 'two' } } },
        });
      });

      it('keep the last five versions', async () => {
        const { data, metadata } = somewhere();
        for (let version = 0; version < 7; version += 1) await write(data, version, { version });
        const facts = await asRoot('GET', metadata);
        expect(facts).toMatchObject({
          status: 200,
          body: { data: { current_version: 7, oldest_version: 3, max_versions: 0, custom_metadata: null } },
        });
        expect(Object.keys((facts.body as { data: { versions: object } }).data.versions)).toEqual([
          '3',
          '4',
          '5',
          '6',
          '7',
        ]);
        expect(await asRoot('GET', `${data}?version=2`)).toEqual(gone);
      });

      it('carry facts of the caller, and are listed by folder', async () => {
        const { org, project, path, data, metadata } = somewhere();
        await write(data, 0, { key: 'one' });
        expect(await asRoot('POST', metadata, { custom_metadata: { provider: 'orders' } })).toMatchObject({
          status: 204,
        });
        expect(await asRoot('GET', data)).toMatchObject({
          body: { data: { metadata: { custom_metadata: { provider: 'orders' } } } },
        });
        expect(await asRoot('GET', `kv/metadata/connectors/${org}?list=true`)).toMatchObject({
          status: 200,
          body: { data: { keys: [`${project}/`] } },
        });
        expect(await asRoot('GET', `kv/metadata/connectors/${org}/${project}?list=true`)).toMatchObject({
          body: { data: { keys: [path.split('/').at(-1)] } },
        });
        expect(await asRoot('GET', `kv/metadata/connectors/${randomUUID()}?list=true`)).toEqual(gone);
      });

      it('are gone with everything when their metadata are deleted, and may begin anew', async () => {
        const { data, metadata } = somewhere();
        await write(data, 0, { key: 'one' });
        await write(data, 1, { key: 'two' });
        expect(await asRoot('DELETE', metadata)).toEqual({ status: 204, body: undefined });
        expect(await asRoot('GET', data)).toEqual(gone);
        expect(await asRoot('GET', metadata)).toEqual(gone);
        expect(await asRoot('DELETE', metadata)).toEqual({ status: 204, body: undefined });
        expect(await write(data, 0, { key: 'new' })).toMatchObject({ body: { data: { version: 1 } } });
      });

      it('answer a request that is none in the words of Vault', async () => {
        const { path, data } = somewhere();
        const token = subject().rootToken;
        const broken = await fetch(`${subject().url}/v1/${data}`, {
          method: 'POST',
          headers: { 'x-vault-token': token },
          body: '{broken',
        });
        expect([broken.status, await broken.json()]).toEqual([400, { errors: ['error parsing JSON'] }]);
        expect(await asRoot('GET', 'nowhere/at/all')).toEqual(
          refused(404, 'no handler for route "nowhere/at/all". route entry not found.'),
        );
        expect(await asRoot('GET', `kv/destroy/${path}`)).toEqual(
          refused(405, '1 error occurred:\n\t* unsupported operation\n\n'),
        );
        expect(await asRoot('POST', `${data}/`, {})).toEqual(
          refused(400, "cannot write to a path ending in '/'"),
        );
      });
    });

    describe('a login', () => {
      it('gets a batch token of five minutes for one organization and project', async () => {
        const { org, project } = somewhere();
        const answer = await logInWith('tools', await sign('tools', claimsOf(org, project)));
        expect(answer).toMatchObject({
          status: 200,
          body: {
            data: null,
            auth: {
              client_token: expect.stringMatching(/^hvb\./) as string,
              accessor: '',
              policies: ['agentstore-tools-read', 'default'],
              metadata: { org, project, role: 'tool-gateway' },
              lease_duration: 300,
              renewable: false,
              token_type: 'batch',
              orphan: true,
            },
          },
        });
        const token = (answer.body as { auth: { client_token: string } }).auth.client_token;
        expect(await call('GET', 'auth/token/lookup-self', { token })).toMatchObject({
          status: 200,
          body: {
            data: {
              type: 'batch',
              creation_ttl: 300,
              display_name: `agentstore-tools-${org}:${project}`,
              meta: { org, project },
              path: 'auth/agentstore-tools/login',
            },
          },
        });
        expect(await call('POST', 'auth/token/renew-self', { token, body: {} })).toEqual(
          refused(400, 'batch tokens cannot be renewed'),
        );
        expect(await call('POST', 'auth/token/revoke-self', { token, body: {} })).toEqual(
          refused(400, 'batch tokens cannot be revoked'),
        );
        const bearer = await call('GET', 'auth/token/lookup-self', {
          headers: { authorization: `Bearer ${token}` },
        });
        expect(bearer.status).toBe(200);
      });

      it('needs an honest, timely JWT of its own process for a role that is there', async () => {
        const { org, project } = somewhere();
        const claims = claimsOf(org, project);
        const login = async (jwt: Promise<string>, role?: string) => logInWith('tools', await jwt, role);
        const audience = invalidToken(
          'invalid audience (aud) claim: audience claim does not match any expected audience',
        );
        const signature = invalidToken(
          'error verifying token signature: no known key successfully validated the token signature',
        );
        const now = Math.floor(Date.now() / 1_000);
        expect(await login(sign('tools', { ...claims, aud: 'tools' }))).toEqual(audience);
        expect(await login(sign('tools', { ...claims, aud: [] }))).toEqual(audience);
        expect(await login(sign('tools', claims, { issuedAt: now - 300, expiresAt: now - 120 }))).toEqual(
          invalidToken('invalid expiration time (exp) claim: token is expired'),
        );
        expect(await login(sign('tools', { ...claims, nbf: now + 300 }))).toEqual(
          invalidToken('invalid not before (nbf) claim: token not yet valid'),
        );
        expect(await login(sign('controlPlane', claims))).toEqual(signature);
        expect(await login(sign('tools', claims), 'connector-writer')).toEqual(
          refused(400, 'role "connector-writer" could not be found'),
        );
        expect(await login(sign('tools', claims), '')).toEqual(refused(400, 'missing role'));
        expect(await login(sign('tools', { org, project }))).toEqual(
          refused(400, 'claim "sub" not found in token'),
        );
        expect(await login(sign('tools', { ...claims, org: 5 }))).toEqual(
          refused(400, "error converting claim 'org' to string"),
        );
        expect(await call('POST', 'auth/nobody/login', { body: { role: 'r', jwt: 'x' } })).toEqual(
          refused(403, 'permission denied'),
        );
      });

      it('is needed: without a token, and with a wrong one, nothing is told', async () => {
        const { data } = somewhere();
        const strangers = refused(403, 'permission denied');
        await write(data, 0, { key: 'one' });
        expect(await call('GET', data)).toEqual(strangers);
        expect(await call('GET', data, { token: 'hvb.made-up' })).toEqual(strangers);
        expect(await call('GET', data, { token: `${subject().rootToken}x` })).toEqual(strangers);
      });
    });

    describe('tenancy, kept by the store itself', () => {
      it("lets the gateway read its organization's secret, and refuses every other path and verb", async () => {
        const [mine, other] = [somewhere(), somewhere()];
        for (const { data } of [mine, other]) await write(data, 0, { key: data });
        const token = await logIn('tools', mine.org, mine.project);
        const own = `connectors/${mine.org}/${mine.project}`;
        expect(await call('GET', mine.data, { token })).toMatchObject({
          status: 200,
          body: { data: { data: { key: mine.data } } },
        });
        expect(await call('GET', `kv/data/${own}/${randomUUID()}`, { token })).toEqual(gone);
        const body = { options: { cas: 1 }, data: { key: 'stolen' } };
        expect(await call('GET', other.data, { token })).toEqual(forbidden);
        expect(await call('POST', other.data, { token, body })).toEqual(forbidden);
        expect(
          await call('GET', `kv/metadata/connectors/${other.org}/${other.project}?list=true`, { token }),
        ).toEqual(forbidden);
        expect(await call('GET', `kv/data/connectors/${mine.org}/${other.project}/x`, { token })).toEqual(
          forbidden,
        );
        // Nor anything but reading where it may read.
        expect(await call('POST', mine.data, { token, body })).toEqual(forbidden);
        expect(await call('DELETE', mine.data, { token })).toEqual(forbidden);
        expect(await call('DELETE', mine.metadata, { token })).toEqual(forbidden);
        expect(await call('GET', mine.metadata, { token })).toEqual(forbidden);
        expect(await call('GET', `kv/subkeys/${mine.path}`, { token })).toEqual(forbidden);
        expect(await call('GET', `kv/metadata/${own}?list=true`, { token })).toEqual(forbidden);
        expect(await call('GET', 'nowhere/at/all', { token })).toEqual(forbidden);
        expect(await call('PUT', 'sys/seal', { token, body: {} })).toEqual(forbidden);
        expect(await call('GET', 'sys/auth', { token })).toEqual(forbidden);
        expect(await call('GET', `${mine.data}/deeper`, { token })).toEqual(forbidden);
      });

      it('lets the control plane write and remove, and reads nothing back to it', async () => {
        const [mine, other] = [somewhere(), somewhere()];
        const token = await logIn('controlPlane', mine.org, mine.project);
        const body = { options: { cas: 0 }, data: { key: 'one' } };
        expect(await call('POST', mine.data, { token, body })).toMatchObject({
          status: 200,
          body: { data: { version: 1 } },
        });
        expect(
          await call('POST', mine.data, { token, body: { options: { cas: 1 }, data: { key: 'two' } } }),
        ).toMatchObject({ status: 200, body: { data: { version: 2 } } });
        expect(await call('POST', other.data, { token, body })).toEqual(forbidden);
        expect(await call('DELETE', other.metadata, { token })).toEqual(forbidden);
        expect(await call('GET', mine.data, { token })).toEqual(forbidden);
        expect(await call('GET', `kv/subkeys/${mine.path}`, { token })).toEqual(forbidden);
        expect(await call('GET', mine.metadata, { token })).toEqual(forbidden);
        expect(await call('DELETE', mine.data, { token })).toEqual(forbidden);
        expect(await call('DELETE', mine.metadata, { token })).toMatchObject({ status: 204 });
        expect(await asRoot('GET', mine.data)).toEqual(gone);
      });

      it('gives nothing to a login that does not name an organization', async () => {
        const { org, project, data } = somewhere();
        await write(data, 0, { key: 'one' });
        const jwt = await sign('tools', { sub: `nobody:${project}`, project });
        const { body } = await logInWith('tools', jwt);
        const token = (body as { auth: { client_token: string } }).auth.client_token;
        expect(await call('GET', data, { token })).toEqual(forbidden);
        expect(await call('GET', `kv/data/connectors//${project}/${org}`, { token })).toMatchObject({
          status: 403,
        });
      });

      it('goes by the newest login of a subject, also for tokens given before', async () => {
        const [mine, other] = [somewhere(), somewhere()];
        for (const { data } of [mine, other]) await write(data, 0, { key: 'one' });
        const { sub } = claimsOf(mine.org, mine.project);
        const token = await logIn('tools', mine.org, mine.project);
        await logInWith('tools', await sign('tools', { ...claimsOf(other.org, other.project), sub: sub! }));
        expect(await call('GET', mine.data, { token })).toEqual(forbidden);
        expect(await call('GET', other.data, { token })).toMatchObject({ status: 200 });
      });

      it.each(['*', '**', '../..'])('gives nothing to a login of organization %s', async (org) => {
        const { project, data } = somewhere();
        await write(data, 0, { key: 'one' });
        expect(await call('GET', data, { token: await logIn('tools', org, project) })).toEqual(forbidden);
      });

      // Vault 1.14 takes the claim for a wildcard: only whoever signs logins can keep this out, by the form of the ids. OpenBao 2.6 refuses it as the dev Vault does.
      it(`${options.dev ? 'gives nothing to' : 'is broken by'} a login of organization +`, async () => {
        const { project, data } = somewhere();
        await write(data, 0, { key: "another tenant's" });
        const answer = await call('GET', data, { token: await logIn('tools', '+', project) });
        expect(answer).toMatchObject(
          options.dev ? forbidden : { status: 200, body: { data: { data: { key: "another tenant's" } } } },
        );
      });

      it(`${options.dev ? 'gives nothing to' : 'is broken by'} a login whose organization holds a slash`, async () => {
        const [org, project, binding] = [randomUUID(), randomUUID(), randomUUID()];
        const data = `kv/data/connectors/${org}/${project}/folder/${binding}`;
        await write(data, 0, { key: "another tenant's" });
        const answer = await call('GET', data, {
          token: await logIn('tools', `${org}/${project}`, 'folder'),
        });
        expect(answer.status).toBe(options.dev ? 403 : 200);
      });
    });

    it(`${options.dev ? 'refuses to wrap' : 'unwraps once what it wrapped'}`, async () => {
      const { data } = somewhere();
      await write(data, 0, { key: 'one' });
      const wrapped = await call('GET', data, {
        token: subject().rootToken,
        headers: { 'x-vault-wrap-ttl': '60' },
      });
      const token = (wrapped.body as { wrap_info?: { token: string } }).wrap_info?.token ?? 'none';
      const unwrap = () => call('POST', 'sys/wrapping/unwrap', { token, body: {} });
      expect([wrapped.status, (await unwrap()).status, (await unwrap()).status]).toEqual(
        options.dev ? [400, 403, 403] : [200, 200, 400],
      );
    });

    describe('the seal', () => {
      const health = async (): Promise<Answered> => call('GET', 'sys/health');

      it('is told to anybody', async () => {
        const { body, status } = await health();
        expect(status).toBe(200);
        expect(body).toMatchObject({ initialized: true, sealed: false, standby: false, version: '1.14.1' });
        expect(await call('GET', 'sys/init')).toEqual({ status: 200, body: { initialized: true } });
        expect(await call('GET', 'sys/seal-status')).toMatchObject({
          status: 200,
          body: { type: 'shamir', initialized: true, sealed: false, t: 1, n: 1, progress: 0 },
        });
      });

      it('refuses everything until the key is given, and tokens given before hold on', async () => {
        const { org, project, data } = somewhere();
        await write(data, 0, { key: 'one' });
        const token = await logIn('tools', org, project);
        expect(await asRoot('PUT', 'sys/seal')).toEqual({ status: 204, body: undefined });
        const sealed = refused(503, 'Vault is sealed');
        expect(await call('GET', data, { token })).toEqual(sealed);
        expect(await asRoot('GET', data)).toEqual(sealed);
        expect(await logInWith('tools', await sign('tools', claimsOf(org, project)))).toEqual(sealed);
        expect(await health()).toMatchObject({
          status: 503,
          body: { initialized: true, sealed: true, standby: true },
        });
        expect(await call('GET', 'sys/seal-status')).toMatchObject({ status: 200, body: { sealed: true } });
        expect(await call('POST', 'sys/unseal', { body: {} })).toEqual(
          refused(400, "'key' must be specified in request body as JSON, or 'reset' set to true"),
        );
        expect(await call('POST', 'sys/unseal', { body: { key: '00'.repeat(32) } })).toMatchObject({
          status: 400,
        });
        expect(await health()).toMatchObject({ status: 503 });
        expect(await call('POST', 'sys/unseal', { body: { key: subject().unsealKey } })).toMatchObject({
          status: 200,
          body: { sealed: false },
        });
        expect(await call('GET', data, { token })).toMatchObject({
          status: 200,
          body: { data: { data: { key: 'one' } } },
        });
      });
    });
  });
}
