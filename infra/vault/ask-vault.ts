/** Where to ask, and with whose token. */
export interface VaultAccess {
  readonly url: string;
  readonly token: string;
}

/** A Vault that cannot be asked, or refuses; the message is for people and holds nothing that was sent. */
export class VaultRefusal extends Error {
  override readonly name = 'VaultRefusal';
  /** Undefined when there was no answer of a Vault. */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** Longest wait for one answer. */
const deadlineMs = 20_000;

/** The `data` of Vault's answer; undefined where there is nothing. Throws VaultRefusal with a sentence. */
export async function askVault(
  { url, token }: VaultAccess,
  ask: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object },
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const answer = await fetch(new URL(`/v1/${ask.path}`, url), {
    method: ask.method,
    headers: { 'x-vault-token': token, 'content-type': 'application/json' },
    redirect: 'error', // the token is for this address only
    signal: AbortSignal.timeout(deadlineMs),
    ...(ask.body ? { body: JSON.stringify(ask.body) } : {}),
  }).catch((error: unknown) => {
    const { name, message, cause } = error as Error;
    const why = name === 'TimeoutError' ? `gave no answer in ${deadlineMs / 1_000} s` : undefined;
    throw new VaultRefusal(
      `${url} ${why ?? `cannot be reached: ${(cause as Error | undefined)?.message ?? message}`}`,
    );
  });
  if (answer.status === 204) return undefined;
  const body = await read(answer);
  if (answer.status === 404 && body?.errors?.length === 0) return undefined;
  if (body?.errors?.length)
    throw new VaultRefusal(`${ask.method} ${ask.path}: ${body.errors.join('; ').trim()}`, answer.status);
  if (!answer.ok || !body?.data) throw new VaultRefusal(`${url} answered ${answer.status}: not a Vault`);
  return body.data;
}

interface VaultBody {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly string[];
}

const read = (answer: Response): Promise<VaultBody | undefined> =>
  answer.json().then(
    (body: unknown) => (body !== null && typeof body === 'object' ? body : undefined),
    () => undefined,
  );
