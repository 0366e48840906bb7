/** The one origin of a request as browsers send it; undefined for none, `null`, or more than one. */
export function originOf(headers: Headers): string | undefined {
  const given = headers.get('origin') ?? '';
  const url = URL.parse(given);
  return url && /^https?:$/.test(url.protocol) && url.origin === given ? given : undefined;
}

/** Whether a request's Origin is a token's, which is written without a dot at the end of its host. */
export const isSameSite = (origin: string | null | undefined, bound: string): boolean =>
  origin?.replace(/\.(?=$|:\d+$)/, '') === bound;
