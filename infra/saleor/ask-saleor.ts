/** Where to ask, and as whom; an empty token asks as nobody. */
export interface SaleorAccess {
  readonly url: string;
  readonly token: string;
  /** How long one answer may take; 20 s when absent. */
  readonly deadlineMs?: number;
}

/** A Saleor that cannot be asked, or refuses; the message is for people. */
export class SaleorError extends Error {
  override readonly name = 'SaleorError';
  /** Codes of its errors: PermissionDenied and the like from the top, a payload's own (UNIQUE, …). Empty when there was no answer of GraphQL. */
  readonly codes: readonly string[];
  constructor(message: string, codes: readonly string[] = []) {
    super(message);
    this.codes = codes;
  }
}

interface GraphError {
  readonly message: string;
  readonly extensions?: { readonly exception?: { readonly code?: string } };
}
interface Refusal {
  readonly field?: string | null;
  readonly message: string;
  readonly code?: string;
}

/** Asks a Saleor. Throws SaleorError with a sentence when it cannot be reached, is none, or answers `errors`, at the top or in a payload. */
export async function askSaleor<T>(access: SaleorAccess, query: string, variables: object = {}): Promise<T> {
  const deadlineMs = access.deadlineMs ?? 20_000;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(access.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(access.token ? { authorization: `Bearer ${access.token}` } : {}),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    text = await answer.text();
  } catch (error) {
    const late = (error as Error).name === 'TimeoutError';
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new SaleorError(
      `${access.url} ${late ? `gave no answer in ${deadlineMs / 1_000} s` : `cannot be reached: ${cause}`}`,
    );
  }
  const body = parsed(text);
  if (!body)
    throw new SaleorError(
      `${access.url} answered ${answer.status} ${answer.headers.get('content-type') ?? ''}: not a GraphQL endpoint`,
    );
  const errors = body.errors ?? [];
  const refusals = Object.values(body.data ?? {}).flatMap(refusalsOf);
  if (errors.length || refusals.length || !body.data)
    throw new SaleorError(
      [
        ...errors.map(({ message }) => message),
        ...refusals.map(({ field, message }) => (field ? `${field}: ${message}` : message)),
      ].join('; ') || `the answer ${answer.status} has no data`,
      [
        ...errors.map(({ extensions }) => extensions?.exception?.code ?? 'ERROR'),
        ...refusals.map(({ code }) => code ?? 'ERROR'),
      ],
    );
  return body.data as T;
}

function parsed(text: string): { data?: Record<string, unknown>; errors?: GraphError[] } | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return body !== null && typeof body === 'object' && ('data' in body || 'errors' in body)
      ? (body as { data?: Record<string, unknown>; errors?: GraphError[] })
      : undefined;
  } catch {
    return undefined;
  }
}

const refusalsOf = (payload: unknown): Refusal[] =>
  payload !== null && typeof payload === 'object' && 'errors' in payload && Array.isArray(payload.errors)
    ? (payload.errors as Refusal[])
    : [];
