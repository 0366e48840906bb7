/**
 * What a use case answers: done with a value, or refused with a typed reason the caller can act on (`code` is stable, facts beside it).
 * Access is thrown (`access.ts`), faults are thrown; a refusal is a value, so that `switch` over its code is exhaustive.
 */
export type Outcome<T, R extends Refusal> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: R };

/** A refusal: SCREAMING_SNAKE `code`, a sentence for people, and the input field it is about, where there is one. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

/** The work was done. */
export const done = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });

/** The work was refused; nothing was changed. */
export const refused = <R extends Refusal>(error: R): { readonly ok: false; readonly error: R } => ({
  ok: false,
  error,
});

/** For the default branch of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
