import { InputErrors, type InputError } from './errors.ts';

/** A mutation's answer: its own members and `errors`, empty on success. */
export type Payload<T> = Partial<T> & { errors: readonly InputError[] };

/**
 * Turns refused input into the payload's `errors`; everything else that is thrown stays a top-level error.
 * Work that was done in spite of a refusal returns its own `errors`.
 */
export async function payload<T extends object>(
  work: () => Promise<T>,
  refused: Partial<T> = {},
): Promise<Payload<T>> {
  try {
    return { errors: [], ...(await work()) };
  } catch (error) {
    if (error instanceof InputErrors) return { ...refused, errors: error.errors };
    throw error;
  }
}
