import { randomUUID } from 'node:crypto';
import { compactVerify, decodeJwt, importSPKI, type JWTPayload } from 'jose';
import type { Barrier } from './barrier.ts';
import { issueBatchToken } from './callers.ts';
import { field, withAuth, type Answer, type Exchange } from './exchange.ts';
import { defaultPolicy, type Entity, type JwtConfig, type JwtRole } from './state.ts';
import { invalid } from './vault-error.ts';

/** Seconds by which the clocks of signer and verifier may differ. */
const clockSkew = 60;
/** Seconds that a JWT without `exp` lives after its beginning, and that one without a beginning may have lived before its end. */
const leeway = 150;
/** Seconds of a token whose role does not say. */
const defaultTtl = 32 * 24 * 3_600;

/** `auth/<mount>/login`: a batch token for whoever holds a JWT that the role takes. Throws VaultError 400 with Vault's sentence. */
export async function logIn(barrier: Barrier, mountPath: string, { body, now }: Exchange): Promise<Answer> {
  const mount = barrier.state().authMounts.get(mountPath)!;
  if (!mount.config) throw invalid('could not load configuration');
  const roleName = field.text(body, 'role') || mount.config.default_role;
  if (!roleName) throw invalid('missing role');
  const found = mount.roles.get(roleName);
  if (!found) throw invalid(`role "${roleName}" could not be found`);
  const jwt = field.text(body, 'jwt');
  if (!jwt) throw invalid('missing token');
  await requireSignature(mount.config, jwt);
  const claims = decodeJwt(jwt);
  const fault = faultOf(claims, mount.config, found, Math.floor(now / 1_000));
  if (fault) throw invalid(`error validating token: ${fault}`);
  const { name, metadata } = aliasOf(claims, found);
  const entity = remember(barrier, mount.accessor, name, metadata);

  const policies = [
    ...new Set([...(found.token_no_default_policy ? [] : [defaultPolicy]), ...found.token_policies]),
  ].sort();
  const ttl = Math.min(found.token_ttl || defaultTtl, found.token_max_ttl || defaultTtl);
  const says = {
    entityId: entity.id,
    policies,
    metadata: { role: roleName, ...metadata },
    displayName: `${mountPath}-${name}`,
    path: `auth/${mountPath}/login`,
    issuedAt: Math.floor(now / 1_000),
    ttl,
  };
  return withAuth({
    client_token: issueBatchToken(barrier, says),
    accessor: '',
    policies,
    token_policies: policies,
    metadata: says.metadata,
    lease_duration: ttl,
    renewable: false,
    entity_id: entity.id,
    token_type: 'batch',
    orphan: true,
    mfa_requirement: null,
    num_uses: 0,
  });
}

async function requireSignature(config: JwtConfig, jwt: string): Promise<void> {
  for (const pem of config.jwt_validation_pubkeys) {
    const key = await importSPKI(pem, 'ES256');
    const verified = await compactVerify(jwt, key, { algorithms: ['ES256'] }).then(
      () => true,
      () => false,
    );
    if (verified) return;
  }
  throw invalid(
    'error validating token: error verifying token signature: no known key successfully validated the token signature',
  );
}

/** What is wrong with the claims at a time (seconds), in the words of Vault's library; undefined when nothing is. */
function faultOf(claims: JWTPayload, config: JwtConfig, found: JwtRole, now: number): string | undefined {
  if (config.bound_issuer && claims.iss !== config.bound_issuer) return 'invalid issuer (iss) claim';
  if (found.bound_subject && claims.sub !== found.bound_subject) return 'invalid subject (sub) claim';
  const audiences = [claims.aud ?? []].flat();
  if (found.bound_audiences.length && !found.bound_audiences.some((one) => audiences.includes(one)))
    return 'invalid audience (aud) claim: audience claim does not match any expected audience';
  const { iat = 0, exp = 0, nbf = 0 } = claims;
  if (!iat && !exp && !nbf)
    return 'no issued at (iat), not before (nbf), or expiration time (exp) claims in token';
  const end = exp || Math.max(iat, nbf) + leeway;
  if (now + clockSkew < (nbf || iat || end - leeway))
    return 'invalid not before (nbf) claim: token not yet valid';
  if (now - clockSkew > end) return 'invalid expiration time (exp) claim: token is expired';
  if (now + clockSkew < iat) return 'invalid issued at (iat) claim: token issued in the future';
  return undefined;
}

function aliasOf(
  claims: JWTPayload,
  found: JwtRole,
): { name: string; metadata: Readonly<Record<string, string>> } {
  const name = claims[found.user_claim];
  if (name === undefined) throw invalid(`claim "${found.user_claim}" not found in token`);
  if (typeof name !== 'string') throw invalid(`claim "${found.user_claim}" could not be converted to string`);
  const metadata = Object.fromEntries(
    Object.entries(found.claim_mappings ?? {}).flatMap(([claim, target]) => {
      const value = claims[claim];
      if (value === undefined) return [];
      if (typeof value !== 'string') throw invalid(`error converting claim '${claim}' to string`);
      return [[target, value]];
    }),
  );
  return { name, metadata };
}

/** The entity behind a name, with the facts of this login: tokens issued before read by them, too, as in Vault. */
function remember(
  barrier: Barrier,
  mountAccessor: string,
  name: string,
  metadata: Readonly<Record<string, string>>,
): Entity {
  const known = [...barrier.state().entities.values()].find(
    (one) => one.mountAccessor === mountAccessor && one.name === name,
  );
  if (known && JSON.stringify(known.metadata) === JSON.stringify(metadata)) return known;
  const entity: Entity = { id: known?.id ?? randomUUID(), mountAccessor, name, metadata };
  barrier.change((draft) => draft.entities.set(entity.id, entity));
  return entity;
}
