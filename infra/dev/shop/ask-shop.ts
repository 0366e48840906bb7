/** Where to ask, and as whom; an empty token asks as nobody. */
export interface ShopAccess {
  readonly url: string;
  readonly token: string;
}

/** Asks a Saleor; throws with the messages when it answers `errors`, at the top or in the one payload asked for. */
export async function askShop<T>(access: ShopAccess, query: string, variables: object = {}): Promise<T> {
  const answer = await fetch(access.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(access.token ? { authorization: `Bearer ${access.token}` } : {}),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(20_000),
  });
  const body = (await answer.json()) as { data?: Record<string, unknown>; errors?: { message: string }[] };
  const refusals = Object.values(body.data ?? {}).flatMap((value) =>
    value !== null && typeof value === 'object' && 'errors' in value && Array.isArray(value.errors)
      ? (value.errors as { message: string }[])
      : [],
  );
  const problems = [...(body.errors ?? []), ...refusals];
  if (problems.length || !body.data)
    throw new Error(`the shop refused: ${problems.map((one) => one.message).join('; ') || answer.status}`);
  return body.data as T;
}

/** A shop to fill or to pay in, with a superuser's tokens; a RunningShop has it. */
export interface SeedTarget {
  readonly url: string;
  staffToken(): Promise<string>;
}
