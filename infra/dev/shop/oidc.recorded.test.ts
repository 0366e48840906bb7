import { beforeAll, expect, it } from 'vitest';
import type { JWTPayload } from 'jose';
import { buy, checkout } from './testing/buying.ts';
import { audience, useIssuer } from './testing/issuer.ts';
import { describeRecorded, recordedJson } from './testing/recorded.ts';
import { customer } from './testing/recorded-shop.ts';
import { useShop } from './testing/shop.ts';

interface Case {
  readonly group: string;
  readonly case: string;
  readonly issuer?: string;
  readonly request?: {
    readonly query?: string;
    readonly variables?: object;
    readonly authorization?: { bearer_jwt_payload?: JWTPayload } | string | null;
  };
  readonly answer?: unknown;
  readonly issuer_calls?: Readonly<Record<string, number>>;
}

/** Groups and cases of the recording that the shop has, with what must happen before a case. */
const compared: Readonly<Record<string, readonly string[]>> = {
  matching: [
    'existing customer, same e-mail',
    'same e-mail in other letter case, new sub',
    'second sub with the same e-mail',
    'first sub again (id cached 1 h by sub)',
    'second sub again',
    'second sub again, caches empty',
    'first sub again, caches empty',
    'new user',
    'same sub, e-mail changed at the issuer (new token)',
    'same sub, e-mail changed to that of another customer',
    'unverified e-mail, our userinfo refuses it (403)',
    'no e-mail claim (opaque token at the standard userinfo)',
    'customer deactivated in Saleor',
  ],
  tokenCreate: ['own token while the plugin is active'],
  _entities: [
    'own order, issuer token',
    'own order, own token',
    'own user by id, issuer token',
    'own user by id, own token',
    'own user by email, issuer token',
    'own user by email, own token',
    'foreign user, issuer token',
    'foreign user, own token',
    'foreign order, issuer token',
    'foreign order, own token',
  ],
  'foreign bearer': [
    'garbage JWT-like',
    'garbage JWT-like again',
    '30 characters (looks like an app token, unknown), public query',
    'unsigned JWT of another issuer',
  ],
  'service token': [
    'with resource, me + shop',
    'with resource, orders',
    'with resource, app',
    'opaque, me + shop',
    'opaque, orders',
    'opaque, app',
  ],
  'scope permissions + audience': [
    'buyer',
    'buyer again',
    'buyer, aud is a list with the router in it',
    'buyer, token without scope claim',
    'the same token, public query',
    'buyer whose token carries the scope saleor:manage_orders',
    'the same buyer later without that scope',
    'buyer whose token carries the scope saleor:staff',
  ],
  'recommended set-up': [
    'A me, first',
    'A me, again',
    'A checkoutComplete',
    'A me { orders }',
    'A order(id), own',
    'A _entities own order',
    'A orders',
    'A _entities own user',
    'A _entities other user',
    'A _entities other order',
    'A order(id), other customer',
  ],
  cost: [
    'caches empty, { shop { name } }',
    'caches empty, { __typename }',
    'caches empty, { _service { sdl } }',
  ],
};

/** Recorded with the first issuer and not compared one by one: each case, and why. */
const notCompared: Readonly<Record<string, { readonly why: string; readonly cases: readonly string[] }>> = {
  matching: {
    why: "an opaque token at the issuer's own userinfo, which our arrangement does not use",
    cases: [
      'unverified e-mail of an existing customer, userinfo answers email_verified false',
      'no e-mail in userinfo, opaque token',
    ],
  },
  prehijack: {
    why: 'in oidc-plugin.test.ts, as it needs a registration before',
    cases: [
      'password login before (somebody registered the address, never confirmed)',
      'owner of the address comes with the issuer token',
      'password login of the first registrant afterwards',
      'confirmation by e-mail ON: password login of a stranger who registered the address, never confirmed',
      'the real owner comes with the issuer token',
      'password login of the stranger afterwards',
    ],
  },
  staff: {
    why: 'permission groups are not in the subset; demotion and scopes are in oidc-plugin.test.ts',
    cases: [
      'staff e-mail, no scopes/domains configured',
      'staff e-mail, no scopes/domains configured (again)',
      'staff e-mail domain listed in staff_user_domains',
      'staff e-mail domain listed in staff_user_domains (again)',
      'staff domain listed, token has no scope claim',
      'staff domain listed, token has no scope claim (again)',
      'unknown buyer whose e-mail is in staff_user_domains',
      'A staff e-mail, no scopes or domains configured',
      'A staff e-mail, no scopes or domains configured (again)',
      'C staff, use_oauth_scope_permissions, audience empty',
      'C staff, use_oauth_scope_permissions, audience empty (again)',
      'C3 staff, use_oauth_scope_permissions, audience = router, no saleor: scope in the token',
      'C3 staff, use_oauth_scope_permissions, audience = router, no saleor: scope in the token (again)',
      'D staff, opaque token, nothing configured',
      'D staff, opaque token, nothing configured (again)',
      'E staff, opaque token, use_oauth_scope_permissions',
      'E staff, opaque token, use_oauth_scope_permissions (again)',
      'B superuser e-mail, no scopes or domains configured',
      'B superuser e-mail, no scopes or domains configured (again)',
      'C2 superuser, use_oauth_scope_permissions, audience = router, no saleor: scope in the token',
      'C2 superuser, use_oauth_scope_permissions, audience = router, no saleor: scope in the token (again)',
      'F staff with own password, own token before',
      'F the same e-mail with the issuer token (recommended set-up)',
      'F own login afterwards',
      'F own login afterwards: is listed in staffUsers',
    ],
  },
  cost: {
    why: 'counts and times of many requests; one account of parallel first ones is in oidc-plugin.test.ts',
    cases: [
      '8 parallel first requests of a new user',
      '10 warm me requests, JWT, default',
      '10 warm me requests, JWT, use_oauth_scope_permissions + audience = router',
      'first request, caches empty, public query (products)',
      'next requests with the same token',
      'me again',
      '30 x me, mean ms',
      '10 warm requests each',
      'webhook CUSTOMER_UPDATED (app with MANAGE_USERS), default plugin configuration',
    ],
  },
  'issuer down': {
    why: 'an issuer that answers 503 is in oidc-plugin.test.ts; one that hangs costs its 18 s',
    cases: [
      'userinfo address refuses connections, public query',
      'userinfo refuses connections, me',
      'hangs: anonymous public query while 80 requests with an unknown token wait (1 process)',
      '503, userinfo cached',
      '503, userinfo not cached, me',
      '503, not cached, public query',
      '503, JWKS not cached, userinfo cached',
      '503, JWKS not cached, public query',
      'hangs, userinfo cached',
      'hangs, userinfo not cached, public query',
      'hangs, { shop { name } }',
      'hangs: anonymous public query while 12 such requests wait (1 process)',
      'hangs, JWKS not cached, userinfo cached, me',
    ],
  },
  'foreign bearer': {
    why: 'needs an expired token of the shop itself: auth.test.ts, with a moved clock',
    cases: ['expired token of Saleor itself'],
  },
  expiry: {
    why: "with a moved clock in oidc-plugin.test.ts; opaque tokens need the issuer's own userinfo, which our arrangement does not use",
    cases: [
      'before expiry',
      'after exp, me',
      'after exp, public query',
      'opaque token (standard userinfo), valid',
      'opaque token, 30 s later, expired at the issuer',
    ],
  },
  rotation: {
    why: 'in oidc-plugin.test.ts',
    cases: [
      'token signed with the NEW key, JWKS cached by Saleor is old',
      'same again',
      'token signed with the OLD key, userinfo cached',
      '8 s token with the new key',
      'the same token after exp',
      'after the JWKS cache is gone: expired token',
      'after the JWKS cache is gone: old-key token still in life time, userinfo cached',
    ],
  },
  'mode a': {
    why: 'the authorization-code mode is not in the subset',
    cases: [
      'externalAuthenticationUrl',
      'externalObtainAccessTokens',
      'me with the Saleor-signed token',
      'orders',
      'issuer down, me',
      'plugin switched off, me with the earlier token',
    ],
  },
  configuration: {
    why: 'not a request: setOidcPlugin sends it',
    cases: ['pluginUpdate that was used for the recommended set-up'],
  },
  tokenCreate: {
    why: 'the same as "own token while the plugin is active", under other flags and for staff',
    cases: [
      'own token, plugin active with this configuration',
      'own login of staff while the plugin is active',
    ],
  },
  disabled: { why: 'in oidc-plugin.test.ts', cases: ['plugin off: issuer token, me + public'] },
};

/** The second issuer (Keycloak) is another token, not another plugin: its cases differ from the first one's in what its own userinfo says. */
const isSecondIssuer = (one: Case): boolean => one.issuer?.startsWith('B') === true;

const unsigned = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

const still = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, member: unknown) =>
      key === 'id' || key === 'number' || key === 'locations' ? undefined : member,
    ),
  );

describeRecorded('the OpenID Connect plugin behaves as recorded', () => {
  const issuer = useIssuer();
  const under = useShop();
  const { cases } = recordedJson<{ cases: Case[] }>('oidc.json');
  const tokens = new Map<string, string>();
  /** Ours for the recorded ids, as far as they are known. */
  const ours = { otherOrder: '', otherUser: '', ownOrder: '', ownUser: '', checkout: '', lastOrder: '' };
  let ownToken: string;

  beforeAll(async () => {
    ownToken = await customer(under, 'buyer@example.com');
    ours.ownUser = (await under.ask<{ me: { id: string } }>('{ me { id } }', {}, ownToken)).me.id;
    ours.ownOrder = (await buy(under, { token: ownToken, pay: '29' })).id;
    const other = await customer(under, 'other@example.com');
    ours.otherUser = (await under.ask<{ me: { id: string } }>('{ me { id } }', {}, other)).me.id;
    ours.otherOrder = (await buy(under, { token: other, pay: '29' })).id;
    await under.ask(
      'mutation { customerCreate(input: { email: "off@acme.test", isActive: false }) { errors { message } } }',
    );
    await under.shop.setOidcPlugin({
      jwksUrl: `${issuer.origin}/jwks`,
      userInfoUrl: `${issuer.origin}/custom/userinfo`,
      audience,
    });
  });

  /** One token per recorded one, told apart by its claims. */
  async function tokenFor(
    authorization: NonNullable<Case['request']>['authorization'],
  ): Promise<string | undefined> {
    if (typeof authorization === 'string')
      return authorization === 'Bearer a.b.c'
        ? 'a.b.c'
        : 'y'.repeat(Number(/\d+/.exec(authorization)?.[0] ?? 0));
    const { exp: _exp, iat: _iat, iss, ...claims } = authorization?.bearer_jwt_payload ?? {};
    if (claims['owner'] === 'saleor') return ownToken;
    if (iss === 'http://idp/realms/x')
      return `${unsigned({ alg: 'none' })}.${unsigned(authorization!.bearer_jwt_payload!)}.`;
    const key = JSON.stringify(claims);
    if (!tokens.has(key)) tokens.set(key, await issuer.token(claims));
    return tokens.get(key);
  }

  const chosen = cases.filter((one) => !isSecondIssuer(one) && compared[one.group]?.includes(one.case));
  it.each(chosen)('$group: $case', async (one) => {
    if (
      /caches empty|, first$|^(existing customer|garbage JWT-like$|with resource, me|buyer$)/.test(one.case)
    )
      under.shop.clearOidcCaches();
    if (one.group === 'service token' || one.group === 'foreign bearer')
      await under.raw({ query: '{me{id}}' }, { authorization: 'Bearer warm.up.keys' });
    const token = await tokenFor(one.request!.authorization);
    const ask = (query: string, variables: object = {}) =>
      under.raw({ query, variables }, { authorization: `Bearer ${token}` });
    const me = async () => ((await ask('{me{id}}')).body.data as { me: { id: string } | null }).me;
    const wasWarm = one.issuer_calls && Object.keys(one.issuer_calls).length === 0;
    const own = /\bown (user|order)\b|, own$/.test(one.case);
    if ((wasWarm || (own && one.group === 'recommended set-up')) && !/caches empty/.test(one.case))
      await me();
    if (one.case.endsWith('checkoutComplete')) ours.checkout = await checkout(under, { token: token! });
    const isBuyer = one.group === '_entities';
    const ownUser = isBuyer ? ours.ownUser : own ? (await me())!.id : '';
    issuer.reset();
    const text = JSON.stringify(one.request!.variables ?? {})
      .replace(/T3JkZXI6[^"]+/g, !own ? ours.otherOrder : isBuyer ? ours.ownOrder : ours.lastOrder)
      .replace(/Q2hlY2tvdXQ6[^"]+/, ours.checkout)
      .replace(/VXNlcjo[^"]+/, own ? ownUser : ours.otherUser);
    const answer = await ask(one.request!.query!, JSON.parse(text) as object);
    if (one.case.endsWith('checkoutComplete'))
      ours.lastOrder = (
        answer.body.data as { checkoutComplete: { order: { id: string } } }
      ).checkoutComplete.order.id;
    expect(expectable(answer.body)).toEqual(expectable(one.answer));
    const { 'POST /token - -> 200': _token, ...recordedCalls } = { ...one.issuer_calls };
    const { 'GET /jwks - -> 200': _keys, ...calls } = issuer.calls;
    const { 'GET /jwks - -> 200': _recordedKeys, ...expected } = recordedCalls;
    expect(calls).toEqual(expected);
  });

  /** Without ids, and without what hangs on the recorded shop's other orders, customers and products. */
  function expectable(body: unknown): unknown {
    const text = JSON.stringify(still(body))
      .replace(/"edges":\[.*?\]\}/g, '"edges":[]}')
      .replace(/Saleor e-commerce|Agent Store dev shop/g, 'shop')
      .replace(/buyer@example.com|other@example.com/g, 'someone');
    return JSON.parse(text);
  }

  it('names every case of the first issuer once, as compared or with the reason why not', () => {
    const named = [
      ...Object.entries(compared).flatMap(([group, names]) => names.map((name) => `${group}: ${name}`)),
      ...Object.entries(notCompared).flatMap(([group, { cases: names }]) =>
        names.map((name) => `${group}: ${name}`),
      ),
    ];
    const recorded = new Set(
      cases.filter((one) => !isSecondIssuer(one)).map((one) => `${one.group}: ${one.case}`),
    );
    expect(named.sort()).toEqual([...recorded].sort());
    expect(chosen).toHaveLength(Object.values(compared).flat().length);
  });
});
