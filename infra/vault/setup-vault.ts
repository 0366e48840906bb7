import { isDeepStrictEqual } from 'node:util';
import { policyText, processAccess, roleSettings, secretsMount, type ProcessAccess } from './access-rules.ts';
import { askVault, VaultRefusal, type VaultAccess } from './ask-vault.ts';

/** What became of one thing. */
export interface Done {
  readonly what: string;
  readonly outcome: 'made' | 'mended' | 'kept';
}

/** The ES256 public keys (PEM, SPKI) whose logins each kind of process may sign; more than one while they are replaced. */
export type LoginKeys = Readonly<Record<keyof typeof processAccess, readonly string[]>>;

export interface VaultSetup extends VaultAccess {
  /** Whoever is left out keeps the keys it has. */
  readonly loginKeys: Partial<LoginKeys>;
  /** Hears of each thing in its order. */
  readonly report?: (done: Done) => void;
}

/**
 * Makes what the store needs of a Vault or OpenBao: the key-value engine, and for each kind of process an auth mount, a policy and a role. What is
 * there is kept, what differs is mended, so it may be repeated at will. Throws VaultRefusal.
 */
export async function setupVault(setup: VaultSetup): Promise<void> {
  const vault = { ...setup, report: setup.report ?? (() => undefined) };
  await ensureSecretsMount(vault);
  for (const name of ['tools', 'controlPlane'] as const) {
    const access = processAccess[name];
    const accessor = await ensureAuthMount(vault, access);
    await ensureKeys(vault, access, setup.loginKeys[name]);
    await ensure(vault, {
      what: `policy ${access.policy}`,
      path: `sys/policies/acl/${access.policy}`,
      wanted: { policy: policyText(access, accessor) },
    });
    await ensure(vault, {
      what: `role ${access.role} of auth/${access.mount}`,
      path: `auth/${access.mount}/role/${access.role}`,
      wanted: roleSettings(access),
    });
  }
}

type Reported = VaultAccess & { readonly report: (done: Done) => void };

async function ensureSecretsMount(vault: Reported): Promise<void> {
  const { path, config } = secretsMount;
  const what = `key-value engine ${path}/`;
  const found = (await askVault(vault, { method: 'GET', path: 'sys/mounts' }))?.[`${path}/`];
  const { type, options } = (found ?? {}) as { type?: string; options?: { version?: string } | null };
  if (found && (type !== 'kv' || options?.version !== '2'))
    throw new VaultRefusal(`${path}/ is taken by an engine of type ${type}, which is not version 2 of kv.`);
  if (!found)
    await askVault(vault, {
      method: 'POST',
      path: `sys/mounts/${path}`,
      body: { type: 'kv', options: { version: '2' }, description: 'Secrets of the Agent Store' },
    });
  vault.report({ what, outcome: found ? 'kept' : 'made' });
  await ensure(vault, { what: `settings of ${path}/`, path: `${path}/config`, wanted: config });
}

/** Its accessor, by which policies name what a login says. */
async function ensureAuthMount(vault: Reported, { mount }: ProcessAccess): Promise<string> {
  const find = async () =>
    (await askVault(vault, { method: 'GET', path: 'sys/auth' }))?.[`${mount}/`] as
      { type: string; accessor: string } | undefined;
  const found = await find();
  if (found && found.type !== 'jwt')
    throw new VaultRefusal(`auth/${mount}/ is taken by a mount of type ${found.type}, which is not jwt.`);
  if (!found)
    await askVault(vault, {
      method: 'POST',
      path: `sys/auth/${mount}`,
      body: { type: 'jwt', description: 'Logins of the Agent Store' },
    });
  vault.report({ what: `auth mount ${mount}/`, outcome: found ? 'kept' : 'made' });
  return (found ?? (await find())!).accessor;
}

async function ensureKeys(
  vault: Reported,
  { mount }: ProcessAccess,
  keys: readonly string[] | undefined,
): Promise<void> {
  const what = `login keys of auth/${mount}`;
  const path = `auth/${mount}/config`;
  if (keys)
    return ensure(vault, { what, path, wanted: { jwt_validation_pubkeys: keys.map((pem) => pem.trim()) } });
  if (!(await askVault(vault, { method: 'GET', path })))
    throw new VaultRefusal(`auth/${mount} has no key yet: give the public key of its logins.`);
  vault.report({ what, outcome: 'kept' });
}

/** Writes what is wanted at a path unless it is there; other members that are there do not count. */
async function ensure(
  vault: Reported,
  { what, path, wanted }: { what: string; path: string; wanted: Readonly<Record<string, unknown>> },
): Promise<void> {
  const found = await askVault(vault, { method: 'GET', path });
  const isThere =
    found && Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(found[name], value));
  if (!isThere) await askVault(vault, { method: 'POST', path, body: wanted });
  vault.report({ what, outcome: isThere ? 'kept' : found ? 'mended' : 'made' });
}
