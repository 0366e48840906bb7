import { describe, expect, it } from 'vitest';
import { claimsOf, refused, somewhere, type VaultCaller, type VaultUnderTest } from './vault-caller.ts';

/** What a sealed Vault answers, and wrapped answers. */
export function sealCases(
  vault: VaultCaller,
  subject: () => VaultUnderTest,
  options: { dev: boolean },
): void {
  const { call, asRoot, sign, logInWith, logIn, write } = vault;

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
    const health = () => call('GET', 'sys/health');

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
      const token = await logIn('tools', claimsOf(org, project));
      expect(await asRoot('PUT', 'sys/seal')).toEqual({ status: 204, body: undefined });
      const sealed = refused(503, 'Vault is sealed');
      expect(await call('GET', data, { token })).toEqual(sealed);
      expect(await asRoot('GET', data)).toEqual(sealed);
      expect(await call('GET', data)).toEqual(sealed);
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
}
