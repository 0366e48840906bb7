import { SignJWT, generateKeyPair } from 'jose';
import { beforeAll, expect, it } from 'vitest';
import { describeRecorded, recordedJson } from './testing/recorded.ts';
import { likeRecorded, type LikeRecorded } from './testing/recorded-shop.ts';
import { useReceiver } from './testing/receiver.ts';
import { useShop, type Answer } from './testing/shop.ts';

interface Case {
  readonly case: string;
  readonly query: string;
  readonly representations: unknown[] | { repeat: number; of: unknown } | null;
  readonly answers: Readonly<Record<string, { httpStatus: number; body: unknown }>>;
}

/** Lists of more than five are recorded as their count and first entry. */
function shortened(body: Answer['body']): unknown {
  const entities = body.data?.['_entities'];
  return Array.isArray(entities) && entities.length > 6
    ? { ...body, data: { _entities: { count: entities.length, first: entities[0] as unknown } } }
    : body;
}

describeRecorded('_entities answers as recorded', () => {
  const receiver = useReceiver();
  const under = useShop();
  let like: LikeRecorded;
  let tokens: Record<string, string | undefined>;
  beforeAll(async () => {
    like = await likeRecorded(under, receiver);
    const { buyer, other, app, staff } = like.tokens;
    const [head, claims] = buyer.split('.');
    const { privateKey } = await generateKeyPair('RS256');
    const foreign = await new SignJWT({ sub: 'u1', email: 'buyer@example.com' })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer('http://elsewhere')
      .setExpirationTime('5m')
      .sign(privateKey);
    tokens = {
      'customer (owner of the order)': buyer,
      'customer (someone else)': other,
      'app token (MANAGE_ORDERS, MANAGE_PRODUCTS)': app,
      'app token': app,
      'staff superuser': staff,
      'own JWT, signature broken': `${head}.${claims}.${'A'.repeat(342)}`,
      'JWT of a foreign issuer (no owner claim)': foreign,
      'not a JWT': 'garbage',
      '30 characters, not an app token': 'x'.repeat(30),
    };
  });
  const { cases } = recordedJson<{ cases: Case[] }>('entities.json');

  const compared = cases.flatMap((one) =>
    Object.entries(one.answers).map(([who, expected]) => ({ ...one, who, expected })),
  );
  it.each(compared.filter(({ who }) => who !== 'own JWT, expired'))(
    '$case, $who',
    async ({ query, representations, who, expected }) => {
      const keys =
        representations && 'repeat' in representations
          ? Array.from({ length: representations.repeat }, () => representations.of)
          : representations;
      const token = tokens[who];
      const request = like.translate({ query, ...(keys ? { variables: { r: keys } } : {}) });
      const answer = await under.raw(request, token ? { authorization: `Bearer ${token}` } : {});
      expect(answer.status).toBe(expected.httpStatus);
      expect(shortened(answer.body)).toEqual(like.translate(expected.body));
    },
  );

  it('has compared every answer but the expired token, which auth.test.ts covers with a moved clock', () => {
    expect(compared).toHaveLength(167);
  });
});
