import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { VaultRefusal } from './ask-vault.ts';
import { config } from './config.ts';
import { setupVault } from './setup-vault.ts';

const usage = `Usage: VAULT_TOKEN=… npm run vault:setup -- --url <Vault's origin> [options]

Makes what the store needs of a Vault or OpenBao: the key-value engine kv/, and for the tool gateway and the control plane an auth mount, a policy
and a role. What is there stays, what differs is mended; it may be repeated. The token is read from the environment only.

  --url                such as https://vault.example.com:8200
  --tools-key          file with the public key (ES256, PEM) of the tool gateway's logins; more than one while it is replaced
  --control-plane-key  the same of the control plane's
                       Without them the keys that are there stay; the first time both are needed.
`;

const fail = (text: string, code: number): never => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        url: { type: 'string' },
        'tools-key': { type: 'string', multiple: true },
        'control-plane-key': { type: 'string', multiple: true },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`, 2);
  }
})();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const url = values.url && URL.parse(values.url)?.origin;
const token = config.read().VAULT_TOKEN;
if (!url || !token) fail(usage, 2);

const keysIn = (files: readonly string[] | undefined): readonly string[] | undefined =>
  files?.map((file) => {
    try {
      return fs.readFileSync(file, 'utf8');
    } catch (error) {
      return fail(`${file} cannot be read: ${(error as Error).message}`, 1);
    }
  });
const tools = keysIn(values['tools-key']);
const controlPlane = keysIn(values['control-plane-key']);

try {
  await setupVault({
    url: url!,
    token: token!,
    loginKeys: { ...(tools ? { tools } : {}), ...(controlPlane ? { controlPlane } : {}) },
    report: ({ what, outcome }) => process.stdout.write(`${outcome.padEnd(7)} ${what}\n`),
  });
} catch (error) {
  if (!(error instanceof VaultRefusal)) throw error;
  fail(
    error.status === 403
      ? `The token may not do this: ${error.message}\nIt needs sys/mounts, sys/auth, sys/policies/acl, kv/config and the two auth mounts.`
      : error.message,
    1,
  );
}
