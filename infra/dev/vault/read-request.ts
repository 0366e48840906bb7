import { isRecord, type Exchange } from './exchange.ts';
import { invalid, VaultError } from './vault-error.ts';

/** Takes a request apart. Throws VaultError for what is none. */
export async function exchangeOf(request: Request, now: number): Promise<Exchange> {
  const url = new URL(request.url);
  if (!url.pathname.startsWith('/v1/')) throw new VaultError(404);
  const segments = decoded(url.pathname).split('/').slice(2);
  if (segments.some((one) => one === '.' || one === '..')) throw invalid('relative paths not supported');
  const { method } = request;
  const type = request.headers.get('content-type') ?? '';
  if (method === 'PATCH' && !type.startsWith('application/merge-patch+json'))
    throw new VaultError(
      415,
      `PATCH requires Content-Type of application/merge-patch+json, provided ${type.split(';')[0]}`,
    );
  const isList = method === 'GET' && url.searchParams.get('list') === 'true';
  if (segments.at(-1) === '' && method !== 'GET') throw invalid("cannot write to a path ending in '/'");
  return {
    method: isList ? 'LIST' : method,
    path: segments.join('/').replace(/\/$/, ''),
    query: url.searchParams,
    body: method === 'GET' ? {} : readBody(await request.text()),
    now,
  };
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    throw invalid('the path is not well encoded');
  }
}

/** Empty when it has none. */
export const tokenOf = ({ headers }: Request): string =>
  headers.get('x-vault-token') ?? /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? '';

/** The body of a request: a JSON object, or nothing. */
function readBody(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  const read = (() => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  })();
  if (!isRecord(read)) throw invalid('error parsing JSON');
  return read;
}
