import { createRemoteJWKSet } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAuthenticator } from '@agentstore/kernel/auth/authenticator';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { permissions } from '@agentstore/kernel/permissions';
import { servicePermissions } from './services.ts';
import { signIn } from './sign-in.ts';
import { useIdentity } from './testing/identity.ts';

const identity = useIdentity();

const tokenOf = (
  clientId: string,
  scope: readonly string[],
  change: { secret?: string; audience?: string } = {},
) =>
  serviceTokenSource({
    tokenUrl: identity.current.tokenUrl,
    clientId,
    clientSecret: change.secret ?? identity.current.serviceSecrets[clientId] ?? '',
    audience: change.audience ?? identity.current.serviceAudience,
    scope,
  })();

const callerOf = (token: string) =>
  createAuthenticator({
    audience: 'billing',
    internalJwks: { keys: [] },
    issuer: identity.current.issuer,
    serviceAudience: 'agentstore:internal',
    issuerKeys: createRemoteJWKSet(new URL(identity.current.jwksUrl)),
  })(new Request('http://x/', { headers: { authorization: `Bearer ${token}` } }));

describe('a service with its client credentials', () => {
  it('is a caller with the permissions it asked for and has', async () => {
    const token = await tokenOf('runner', ['billing:settle', 'run:execute', 'wallet:topup']);
    expect(await callerOf(token)).toEqual({
      kind: 'SERVICE',
      serviceId: 'runner',
      scopes: ['billing:settle', 'run:execute'],
    });
  });

  it.each(Object.keys(servicePermissions))('exists: %s', async (client) => {
    const token = await tokenOf(client, permissions);
    const caller = await callerOf(token);
    expect(caller).toMatchObject({ kind: 'SERVICE', serviceId: client });
    expect(caller.kind === 'SERVICE' && caller.scopes.toSorted()).toEqual(
      servicePermissions[client]!.toSorted(),
    );
  });

  it('is refused with a wrong secret: 401', async () => {
    await expect(tokenOf('runner', [], { secret: 'wrong' })).rejects.toThrow('answered 401');
  });

  it('gets no token for people’s audience', async () => {
    await expect(tokenOf('runner', [], { audience: identity.current.audience })).rejects.toThrow(
      'answered 400',
    );
  });
});

describe('what is not a service', () => {
  it('gets no client credentials: the public client has no secret', async () => {
    const answer = await fetch(identity.current.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: identity.current.clientId }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('is not taken for one: a person’s token is for another audience', async () => {
    const { email, password } = identity.current.users[1]!;
    const { issuer, clientId, audience } = identity.current;
    const { accessToken } = await signIn({ issuer, clientId, audience, email, password });
    await expect(callerOf(accessToken)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
