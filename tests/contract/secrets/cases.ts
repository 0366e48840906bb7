import { beforeAll, describe, expect, it } from 'vitest';
import { setupVault, type Done } from '../../../infra/vault/setup-vault.ts';
import { kvCases } from './kv-cases.ts';
import { loginCases } from './login-cases.ts';
import { sealCases } from './seal-cases.ts';
import { tenancyCases } from './tenancy-cases.ts';
import { createCaller, type VaultUnderTest } from './vault-caller.ts';

/**
 * What the store expects of any Vault: the set-up, KV v2, logins bound to one organization and project, and the seal. `dev` says which of two
 * answers holds where the dev Vault is stricter than Vault 1.14.
 */
export function secretsCases(name: string, subject: () => VaultUnderTest, options: { dev: boolean }): void {
  describe(`${name}`, () => {
    const vault = createCaller(subject);
    const { asRoot } = vault;
    const setUp = async (): Promise<readonly Done[]> => {
      const report: Done[] = [];
      const { url, rootToken } = subject();
      await setupVault({
        url,
        token: rootToken,
        loginKeys: await vault.loginKeys(),
        report: (done) => report.push(done),
      });
      return report;
    };

    let first: readonly Done[];
    beforeAll(async () => {
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

    kvCases(vault, subject);
    loginCases(vault, subject);
    tenancyCases(vault, options);
    sealCases(vault, subject, options);
  });
}
