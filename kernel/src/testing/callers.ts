import { createLocalJWKSet } from 'jose';
import { createAuthenticator, type Authenticator } from '../auth/authenticator.ts';
import { generateInternalKey, internalTokenSigner } from '../auth/internal-token.ts';
import type { Caller, Membership, WidgetCaller } from '../caller.ts';
import { uuidv7 } from '../ids.ts';
import type { Permission } from '../permissions.ts';

/** A person in the given organizations. */
export const userCaller = (
  memberships: readonly Membership[] = [],
  more: Partial<Extract<Caller, { kind: 'USER' }>> = {},
): Caller => {
  const userId = uuidv7();
  return {
    kind: 'USER',
    userId,
    subject: userId,
    email: `${userId}@example.test`,
    emailVerified: true,
    memberships: [...memberships],
    operator: false,
    ...more,
  };
};

/** A service with the given permissions. */
export const serviceCaller = (...scopes: Permission[]): Caller => ({
  kind: 'SERVICE',
  serviceId: 'test',
  scopes,
});

/** An API key of an organization. */
export const apiKeyCaller = (organizationId: string, ...scopes: Permission[]): Caller => ({
  kind: 'API_KEY',
  apiKeyId: uuidv7(),
  organizationId,
  scopes,
});

/** A visitor of a site that carries the widget of an instance; their runs may be charged 100 credits and tool steps are shown unless said. */
export const widgetCaller = (
  of: Pick<WidgetCaller, 'organizationId' | 'instanceId'>,
  more: Partial<WidgetCaller> = {},
): WidgetCaller => ({
  kind: 'WIDGET_SESSION',
  sessionId: uuidv7(),
  visitorId: uuidv7(),
  instanceId: of.instanceId,
  organizationId: of.organizationId,
  origin: 'https://shop.example',
  spendCap: '100000000',
  showToolSteps: true,
  ...more,
});

/** A real authenticator for one process and the means to make bearers it accepts. */
export async function testTrust(
  audience: string,
): Promise<{ authenticate: Authenticator; bearer: (caller: Caller) => Promise<string> }> {
  const { privateJwk, jwks } = await generateInternalKey('test');
  const sign = await internalTokenSigner(privateJwk);
  return {
    authenticate: createAuthenticator({
      audience,
      internalJwks: jwks,
      issuer: 'https://issuer.test',
      serviceAudience: 'agentstore:internal',
      issuerKeys: createLocalJWKSet({ keys: [] }),
    }),
    bearer: async (caller) => (caller.kind === 'ANONYMOUS' ? '' : `Bearer ${await sign(caller, audience)}`),
  };
}
