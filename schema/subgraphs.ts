import fs from 'node:fs';
import path from 'node:path';

/** One subgraph as composition sees it. `url` only names it: how it is reached is the router's configuration. */
export interface SubgraphSdl {
  readonly name: string;
  readonly sdl: string;
}

/** Where the printed SDL of our subgraphs is checked in. */
export const sdlDirectory = path.join(import.meta.dirname, 'subgraphs');

/** Our subgraphs, by folder. */
export const subgraphNames = fs
  .readdirSync(path.join(import.meta.dirname, '../subgraphs'))
  .filter((name) => fs.existsSync(path.join(import.meta.dirname, '../subgraphs', name, 'src/schema.ts')))
  .sort();

/** The checked-in SDL of every subgraph of ours. */
export const ownSubgraphs = (): SubgraphSdl[] =>
  subgraphNames.map((name) => ({
    name,
    sdl: fs.readFileSync(path.join(sdlDirectory, `${name}.graphql`), 'utf8'),
  }));

/** The name under which Saleor is composed. */
export const saleorName = 'saleor';

/**
 * Asks a Saleor (or the dev shop) for its federated SDL. Throws a sentence that says what is wrong: not reachable, too slow, not GraphQL, or
 * without `_service`.
 */
export async function fetchSaleorSdl(url: string): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
      signal: AbortSignal.timeout(20_000),
    });
  } catch (error) {
    throw new Error(`${url} cannot be reached: ${(error as Error).message}`, { cause: error });
  }
  if (!answer.headers.get('content-type')?.includes('json'))
    throw new Error(
      `${url} answered ${answer.status} ${answer.headers.get('content-type') ?? ''}: not a GraphQL endpoint`,
    );
  const body = (await answer.json()) as { data?: { _service?: { sdl?: string } } };
  const sdl = body.data?._service?.sdl;
  if (!sdl) throw new Error(`${url} has no _service: it is not a federated GraphQL server`);
  return sdl;
}
