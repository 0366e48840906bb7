/** Sends a request; throws a sentence that names the URL when there is no answer in time. */
export async function ask(url: string, init: RequestInit = {}, deadlineMs = 5_000): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(deadlineMs) });
  } catch (error) {
    const { cause, message } = error as Error;
    throw new Error(
      `${url} does not answer: ${cause instanceof Error ? cause.message || cause.name : message}`,
      {
        cause: error,
      },
    );
  }
}

/** The JSON that a URL answers; throws a sentence when it answers anything else. */
export async function askJson(url: string, init: RequestInit = {}, deadlineMs?: number): Promise<unknown> {
  const answer = await ask(url, init, deadlineMs);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text.slice(0, 120)}`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${url} answers ${answer.headers.get('content-type') ?? 'something'}, no JSON`);
  }
}
