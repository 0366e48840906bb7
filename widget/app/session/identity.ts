import type { Clock } from '../chat/surroundings.ts';

/** A JWT of the customer's server, or what gets one. */
export type Identity = string | (() => Promise<string>);

const deadlineMs = 10_000;

/** The JWT; undefined where there is none, also where the page's function fails or does not answer. */
export async function jwtOf(identity: Identity | null, clock: Clock): Promise<string | undefined> {
  if (typeof identity !== 'function') return identity ?? undefined;
  return new Promise((resolve) => {
    const answer = (jwt?: string) => {
      callOff();
      resolve(jwt);
    };
    const callOff = clock.after(deadlineMs, () => answer());
    // In a promise, since a page's function may throw at once.
    void Promise.resolve()
      .then(identity)
      .then(answer, () => answer());
  });
}
