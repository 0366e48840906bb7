import type { Branding } from '@agentstore/kernel/branding';
import type { Surroundings } from '../chat/surroundings.ts';
import type { Problem } from './refusal.ts';

const deadlineMs = 15_000;

/** What session:init answers (PROTOCOL §1). */
export interface SessionAnswer {
  readonly token: string;
  readonly expiresIn: number;
  readonly handle: string;
  readonly visitorId: string;
  readonly identified: boolean;
  readonly instanceId: string;
  readonly graphqlUrl: string;
  readonly branding: Branding;
  readonly limits: { readonly inputCharacters: number; readonly attachmentBytes: number };
}

export interface SessionRequest {
  readonly widgetKey: string;
  readonly handle?: string;
  readonly identity?: string;
}

/** `null`: the store was not reached. */
export type Outcome = { readonly session: SessionAnswer } | { readonly problem: Problem } | null;

export async function askForSession(
  { fetch, clock }: Pick<Surroundings, 'fetch' | 'clock'>,
  store: string,
  request: SessionRequest,
): Promise<Outcome> {
  // A sandboxed page is refused (PROTOCOL §1.1), and the browser would not let it read that.
  if (globalThis.origin === 'null')
    return { problem: { status: 403, code: 'ORIGIN_NOT_ALLOWED', retryAfterSeconds: 0, branding: null } };
  const deadline = new AbortController();
  const callOff = clock.after(deadlineMs, () => deadline.abort());
  try {
    const response = await fetch(`${store}/v1/widget/session:init`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      credentials: 'omit',
      signal: deadline.signal,
    });
    const body: unknown = await response.json().catch(() => ({}));
    if (response.ok) return { session: body as SessionAnswer };
    const { code = '', branding = null } = body as { code?: string; branding?: Branding | null };
    const retryAfterSeconds = Number(response.headers.get('retry-after')) || 5;
    return { problem: { status: response.status, code, retryAfterSeconds, branding } };
  } catch {
    return null;
  } finally {
    callOff();
  }
}

/** The visitor is forgotten whether the store hears of it or not. */
export async function endSession(
  { fetch }: Pick<Surroundings, 'fetch'>,
  store: string,
  handle: string,
): Promise<void> {
  await fetch(`${store}/v1/widget/session:end`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ handle }),
    credentials: 'omit',
    keepalive: true, // a sign-out leaves the page
  }).catch(() => undefined);
}
