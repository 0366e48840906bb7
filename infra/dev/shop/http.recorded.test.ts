import { beforeAll, expect, it } from 'vitest';
import { describeRecorded, recordedJson } from './testing/recorded.ts';
import { likeRecorded, type LikeRecorded } from './testing/recorded-shop.ts';
import { useReceiver } from './testing/receiver.ts';
import { useShop } from './testing/shop.ts';

interface Case {
  readonly case: string;
  readonly auth: string | null;
  readonly request: unknown;
  readonly httpStatus: number;
  readonly body: { data?: unknown; errors?: unknown };
}

/** Answers that hang on what else the recorded shop sold. */
const countsDiffer = new Set(['null passed as a variable value']);

describeRecorded('GraphQL over HTTP answers as recorded', () => {
  const receiver = useReceiver();
  const under = useShop();
  let like: LikeRecorded;
  beforeAll(async () => {
    like = await likeRecorded(under, receiver);
  });
  const { cases } = recordedJson<{ cases: Case[] }>('http.json');
  const bearer = (auth: string | null): Record<string, string> => {
    const token = {
      customer: like.tokens.buyer,
      'other customer': like.tokens.other,
      'app token': like.tokens.app,
    }[auth ?? ''];
    return token ? { authorization: `Bearer ${token}` } : {};
  };

  it.each(cases)('$case', async (recorded) => {
    const answer = await under.raw(like.translate(recorded.request), bearer(recorded.auth));
    expect(answer.status).toBe(recorded.httpStatus);
    const expected = countsDiffer.has(recorded.case)
      ? { data: { products: { totalCount: 2 } } }
      : like.translate(recorded.body);
    expect(answer.body).toEqual(expected);
  });

  it('has compared every case of the file', () => expect(cases).toHaveLength(21));
});
