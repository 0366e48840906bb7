/** What the router says of itself at /graphiql/settings.json. */
export interface Settings {
  /** Issuer of people's tokens (OpenID Connect discovery below it). */
  readonly issuer: string;
  /** The public client that this page signs in as. */
  readonly clientId: string;
  /** Resource that tokens are asked for (RFC 8707). */
  readonly audience: string;
}

export async function loadSettings(): Promise<Settings> {
  const answer = await fetch('/graphiql/settings.json');
  if (!answer.ok) throw new Error(`The router answered ${answer.status} for its settings.`);
  return (await answer.json()) as Settings;
}
