import { timingSafeEqual, createHash } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import { capabilitiesAt } from './acl.ts';
import { withData, type Answer, type Endpoint } from './exchange.ts';
import { fillPath, parsePolicy, type Capability } from './policy.ts';
import type { VaultState } from './state.ts';
import { badToken, invalid } from './vault-error.ts';

/** What a batch token says; it is its own storage, sealed by the barrier's key. Times in seconds. */
export interface BatchToken {
  readonly entityId: string;
  readonly policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly displayName: string;
  /** Path of the login. */
  readonly path: string;
  readonly issuedAt: number;
  readonly ttl: number;
}

export type Caller =
  | { readonly kind: 'root'; readonly token: string }
  | { readonly kind: 'batch'; readonly token: string; readonly says: BatchToken };

const prefix = 'hvb.';

export const issueBatchToken = (barrier: Barrier, says: BatchToken): string =>
  prefix + barrier.box(Buffer.from(JSON.stringify(says))).toString('base64url');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Who sent this token; throws VaultError 403 for none, a wrong and an expired one. */
export function callerOf(barrier: Barrier, rootToken: string, token: string, now: number): Caller {
  if (timingSafeEqual(digest(token), digest(rootToken))) return { kind: 'root', token };
  const text = token.startsWith(prefix)
    ? barrier.unbox(Buffer.from(token.slice(prefix.length), 'base64url'))
    : undefined;
  if (!text) throw badToken();
  const says = JSON.parse(text.toString('utf8')) as BatchToken;
  if (now / 1_000 > says.issuedAt + says.ttl) throw badToken();
  return { kind: 'batch', token, says };
}

/** What the caller may do at a path, by the policies and the facts of its entity as they are now. */
export function capabilitiesOf(
  state: VaultState,
  { policies, entityId }: BatchToken,
  path: string,
  options: { list: boolean },
): ReadonlySet<Capability> {
  const entity = state.entities.get(entityId);
  const valueOf = (template: string): string | undefined => {
    const alias = `identity.entity.aliases.${entity?.mountAccessor}.`;
    if (!entity || !template.startsWith(alias)) return undefined;
    const what = template.slice(alias.length);
    return what === 'name' ? entity.name : entity.metadata[/^metadata\.(.+)$/.exec(what)?.[1] ?? ''];
  };
  const rules = policies
    .flatMap((name) => parsePolicy(state.policies.get(name) ?? ''))
    .flatMap((rule) => {
      const filled = fillPath(rule.path, valueOf);
      return filled === undefined ? [] : [{ ...rule, path: filled }];
    });
  return capabilitiesAt(rules, path, options);
}

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');

const aboutRoot = (id: string): Answer =>
  withData({
    accessor: '',
    creation_time: 0,
    creation_ttl: 0,
    display_name: 'token',
    entity_id: '',
    expire_time: null,
    explicit_max_ttl: 0,
    id,
    meta: null,
    num_uses: 0,
    orphan: true,
    path: 'auth/token/create',
    policies: ['root'],
    renewable: false,
    ttl: 0,
    type: 'service',
  });

const aboutBatch = (id: string, says: BatchToken, now: number): Answer =>
  withData({
    accessor: '',
    creation_time: says.issuedAt,
    creation_ttl: says.ttl,
    display_name: says.displayName,
    entity_id: says.entityId,
    expire_time: at(says.issuedAt + says.ttl),
    explicit_max_ttl: 0,
    id,
    issue_time: at(says.issuedAt),
    meta: says.metadata,
    num_uses: 0,
    orphan: true,
    path: says.path,
    policies: says.policies,
    renewable: false,
    ttl: Math.max(0, says.issuedAt + says.ttl - Math.floor(now / 1_000)),
    type: 'batch',
  });

/** `auth/token/…`: what a token can ask about itself. */
export function tokenEndpoint(name: string, caller: Caller, now: number): Endpoint | undefined {
  const refuse = (batch: string, root: string): Endpoint => ({
    write() {
      throw invalid(caller.kind === 'batch' ? batch : root);
    },
  });
  switch (name) {
    case 'lookup-self':
      return {
        read: () =>
          caller.kind === 'root' ? aboutRoot(caller.token) : aboutBatch(caller.token, caller.says, now),
      };
    case 'renew-self':
      return refuse('batch tokens cannot be renewed', 'lease is not renewable');
    case 'revoke-self':
      return refuse('batch tokens cannot be revoked', "the dev Vault's root token stays");
    default:
      return undefined;
  }
}
