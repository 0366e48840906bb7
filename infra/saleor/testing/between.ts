import { listen } from '@agentstore/kernel/testing/http';

/** A server between the setup and a Saleor. */
export interface Between {
  readonly url: string;
  /** Every mutation that came, forgotten by assigning. */
  mutations: string[];
  /** How many mutations reach the Saleor; those after it are answered with a fault. */
  most: number;
  /** The version that the Saleor is said to have; its own when undefined. */
  version: string | undefined;
}

/** Hands everything on to the Saleor and back. */
export async function between(saleor: () => string): Promise<Between> {
  const server = await listen(async (request) => {
    const body = await request.text();
    const { query } = JSON.parse(body) as { query: string };
    if (query.trimStart().startsWith('mutation') && seen.mutations.push(query) > seen.most)
      return new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } });
    const answer = await fetch(saleor(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: request.headers.get('authorization') ?? '',
      },
      body,
    });
    const text = await answer.text();
    return new Response(
      seen.version ? text.replace(/"version":"[^"]*"/, `"version":"${seen.version}"`) : text,
      { status: answer.status, headers: { 'content-type': 'application/json' } },
    );
  });
  const seen: Between = {
    url: `http://127.0.0.1:${server.port}/graphql/`,
    mutations: [],
    most: Infinity,
    version: undefined,
  };
  return seen;
}

/** An address where somebody answers everything with the same text. */
export const answering = async (text: string, type: string): Promise<string> =>
  `http://127.0.0.1:${(await listen(() => Promise.resolve(new Response(text, { headers: { 'content-type': type } })))).port}/graphql/`;
