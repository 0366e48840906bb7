import { createPublicKey } from 'node:crypto';
import { done, field, requireOffered, withData, type Endpoint, type Exchange } from './exchange.ts';
import type { JwtConfig, JwtMount, JwtRole } from './state.ts';
import { invalid, notFound } from './vault-error.ts';

/** `auth/<mount>/config` and `…/role/<name>`; undefined when there is no such endpoint. */
export function jwtEndpoint(mount: JwtMount, path: string, exchange: Exchange): Endpoint | undefined {
  if (path === 'config')
    return {
      read() {
        if (!mount.config) throw notFound();
        return withData({ ...mount.config, jwks_url: '', jwt_supported_algs: [], oidc_discovery_url: '' });
      },
      write() {
        mount.config = configFrom(exchange.body);
        return done;
      },
    };
  if (path === 'role')
    return {
      list() {
        if (mount.roles.size === 0) throw notFound();
        return withData({ keys: [...mount.roles.keys()].sort() });
      },
    };
  const name = /^role\/([\w-]+)$/.exec(path)?.[1];
  return name === undefined ? undefined : role(mount, name, exchange);
}

function configFrom(body: Exchange['body']): JwtConfig {
  requireOffered(body, ['jwt_validation_pubkeys', 'bound_issuer', 'default_role']);
  const keys = field.texts(body, 'jwt_validation_pubkeys') ?? [];
  if (keys.length === 0)
    throw invalid("exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set");
  for (const pem of keys)
    if (!isP256(pem)) throw invalid('error parsing public key: data does not contain any valid public keys');
  return {
    jwt_validation_pubkeys: keys.map((pem) => pem.trim()),
    bound_issuer: field.text(body, 'bound_issuer') ?? '',
    default_role: field.text(body, 'default_role') ?? '',
  };
}

function isP256(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

const role = (mount: JwtMount, name: string, { body }: Exchange): Endpoint => ({
  exists: mount.roles.has(name),
  read() {
    const found = mount.roles.get(name);
    if (!found) throw notFound();
    return withData(found);
  },
  write() {
    mount.roles.set(name, roleFrom(body, mount.roles.get(name)));
    return done;
  },
  delete() {
    mount.roles.delete(name);
    return done;
  },
});

function roleFrom(body: Exchange['body'], before: JwtRole | undefined): JwtRole {
  requireOffered(body, [
    'role_type',
    'bound_audiences',
    'bound_subject',
    'user_claim',
    'claim_mappings',
    'token_policies',
    'token_ttl',
    'token_max_ttl',
    'token_no_default_policy',
    'token_type',
  ]);
  const text = (name: 'bound_subject' | 'user_claim') => field.text(body, name) ?? before?.[name] ?? '';
  const seconds = (name: 'token_ttl' | 'token_max_ttl') => field.count(body, name) ?? before?.[name] ?? 0;
  if (field.text(body, 'role_type') !== 'jwt') throw invalid('the dev Vault offers role_type jwt only');
  if ((field.text(body, 'token_type') ?? before?.token_type) !== 'batch')
    throw invalid('the dev Vault offers token_type batch only');
  const made: JwtRole = {
    role_type: 'jwt',
    bound_audiences: field.texts(body, 'bound_audiences') ?? before?.bound_audiences ?? [],
    bound_subject: text('bound_subject'),
    user_claim: text('user_claim'),
    claim_mappings: field.textRecord(body, 'claim_mappings') ?? before?.claim_mappings ?? null,
    token_policies: field.texts(body, 'token_policies') ?? before?.token_policies ?? [],
    token_ttl: seconds('token_ttl'),
    token_max_ttl: seconds('token_max_ttl'),
    token_no_default_policy:
      field.flag(body, 'token_no_default_policy') ?? before?.token_no_default_policy ?? false,
    token_type: 'batch',
  };
  if (!made.user_claim) throw invalid('a user claim must be defined on the role');
  if (made.bound_audiences.length === 0 && !made.bound_subject)
    throw invalid('must have at least one bound constraint when creating/updating a role');
  return made;
}
