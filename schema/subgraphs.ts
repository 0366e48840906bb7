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

/** The minor version of Saleor that all this was tried on. */
const triedVersion = '3.22';

/**
 * Asks a Saleor (or the dev shop) for its federated SDL. Throws a sentence that says what is wrong: not reachable, too slow (`deadlineMs`, to the last
 * byte), not GraphQL, or without `_service`.
 */
export async function fetchSaleorSdl(url: string, deadlineMs = 20_000): Promise<string> {
  const data = await ask<{ _service?: { sdl?: unknown } | null }>(url, '{ _service { sdl } }', deadlineMs);
  const sdl = data?._service?.sdl;
  if (typeof sdl !== 'string' || !sdl)
    throw new Error(`${url} has no _service: it is not a federated GraphQL server`);
  return sdl;
}

/**
 * A sentence when a Saleor says that it is of a version that was not tried; undefined for the tried one, and for a server that does not say. It is asked for
 * `schemaVersion`, which everybody may see: `version` is for staff and apps.
 */
export async function untriedVersion(url: string, deadlineMs = 5_000): Promise<string | undefined> {
  const query = '{ shop { schemaVersion } }';
  const data = await ask<{ shop?: { schemaVersion?: unknown } | null }>(url, query, deadlineMs).catch(
    () => undefined,
  );
  const version = data?.shop?.schemaVersion;
  return typeof version !== 'string' || version === triedVersion
    ? undefined
    : `${url} is Saleor ${version}; this was tried on ${triedVersion}. Going on.`;
}

async function ask<Data>(url: string, query: string, deadlineMs: number): Promise<Data | null | undefined> {
  const deadline = AbortSignal.timeout(deadlineMs);
  let status: string;
  let text: string;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query }),
      signal: deadline,
    });
    status = `${answer.status} ${answer.headers.get('content-type') ?? ''}`;
    text = await answer.text();
  } catch (error) {
    const reason = deadline.aborted ? `no answer in ${deadlineMs} ms` : causeOf(error as Error);
    throw new Error(`${url} cannot be reached: ${reason}`, { cause: error });
  }
  try {
    return (JSON.parse(text) as { data?: Data | null } | null)?.data;
  } catch {
    throw new Error(`${url} answered ${status}: not a GraphQL endpoint`);
  }
}

/** What lies under fetch's "fetch failed". */
const causeOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message : error.message;
