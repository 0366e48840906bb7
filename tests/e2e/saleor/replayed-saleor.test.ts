import { beforeAll, expect, it } from 'vitest';
import { describeRecorded } from '../../../infra/dev/shop/testing/recorded.ts';
import {
  keysOf,
  recordedFacts,
  requestorNamed,
  type RecordedAnswer,
  type Requestor,
} from './recorded-facts.ts';
import { replaySaleor, type ReplayedSaleor } from './replayed-saleor.ts';

describeRecorded('the replaying Saleor answers as the recorded one did', () => {
  const facts = recordedFacts();
  let saleor: ReplayedSaleor;
  beforeAll(async () => {
    saleor = await replaySaleor();
    for (const who of everybody()) saleor.knows(tokenOf(who), who);
  });
  const everybody = (): Requestor[] => [
    ...new Set(facts.entityCases.flatMap(({ answers }) => Object.keys(answers))),
  ];
  const tokenOf = (who: Requestor): string => Buffer.from(who).toString('base64url');

  async function ask(who: Requestor, request: unknown) {
    const answer = await fetch(saleor.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(who)}` },
      body: typeof request === 'string' ? request : JSON.stringify(request),
    });
    return { status: answer.status, body: (await answer.json()) as RecordedAnswer };
  }

  const entityAnswers = facts.entityCases.flatMap((one) =>
    Object.entries(one.answers).map(([who, recorded]) => ({ ...one, who, recorded })),
  );
  it.each(entityAnswers)('$case, $who', async ({ who, recorded, ...one }) => {
    const keys = keysOf(one);
    const { status, body } = await ask(who, {
      query: one.query,
      ...(keys ? { variables: { r: keys } } : {}),
    });
    expect(status).toBe(recorded.httpStatus);
    expect(shortened(body)).toEqual(recorded.body);
  });

  it.each(facts.httpCases)('$case', async ({ auth, request, httpStatus, body }) => {
    expect(await ask(requestorNamed(auth), request)).toEqual({ status: httpStatus, body });
  });

  it('refuses what its parser does not know in any other query too', async () => {
    for (const query of ['{ order(id: null) { id } }', '{ order(id: """x""") { id } }']) {
      const { status, body } = await ask('anonymous', { query });
      expect(status).toBe(400);
      expect(body.errors?.[0]?.message).toMatch(/^Syntax Error GraphQL \(1:\d+\)/);
    }
  });

  it('makes nothing up', async () => {
    const { body } = await ask('anonymous', { query: '{ channels { id } }' });
    expect(body).toMatchObject({ data: { channels: null }, errors: [{ message: 'Internal Server Error' }] });
  });
});

/** Lists of more than five are recorded as their count and first entry; the mixed one of six was kept. */
function shortened(body: RecordedAnswer): unknown {
  const entities = body.data?.['_entities'];
  return Array.isArray(entities) && entities.length > 6
    ? { ...body, data: { _entities: { count: entities.length, first: entities[0] as unknown } } }
    : body;
}
