import { describe, expect, it } from 'vitest';
import { claimsOf, refused, somewhere, type VaultCaller, type VaultUnderTest } from './vault-caller.ts';

const invalidToken = (why: string) => refused(400, `error validating token: ${why}`);

/** Logins by JWT: who gets a token, and what it is. */
export function loginCases(vault: VaultCaller, subject: () => VaultUnderTest): void {
  const { call, sign, logInWith, write } = vault;

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
      expect(await login(sign('tools', { ...claims, iat: now - 300, exp: now - 120 }))).toEqual(
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
}
