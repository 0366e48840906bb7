/**
 * A top-level GraphQL error as Saleor answers it: `extensions.exception.code` is the name of the Python exception that its clients see.
 * Thrown with the default code it reads like an ordinary refusal.
 */
export class ShopError extends Error {
  override readonly name = 'ShopError';
  readonly code: string;
  constructor(message: string, code = 'GraphQLError') {
    super(message);
    this.code = code;
  }
}

/** PermissionDenied, with the permissions any of which would do (permission codes, or OWNER, AUTHENTICATED_APP, …). */
export function permissionDenied(...anyOf: readonly string[]): ShopError {
  const message = anyOf.length
    ? `To access this path, you need one of the following permissions: ${anyOf.join(', ')}`
    : 'You do not have permission to perform this action';
  return new ShopError(message, 'PermissionDenied');
}

/** What a fault of the server looks like to clients. */
export const internalError = (pythonException: string): ShopError =>
  new ShopError('Internal Server Error', pythonException);

/** One entry of a mutation's `errors` list. */
export interface InputError {
  readonly field: string | null;
  readonly message: string;
  readonly code: string;
  readonly [extra: string]: unknown;
}

/** Thrown inside a mutation: rolls its transaction back and becomes the payload's `errors`. */
export class InputErrors extends Error {
  override readonly name = 'InputErrors';
  readonly errors: readonly InputError[];
  constructor(...errors: readonly InputError[]) {
    super(errors[0]?.message ?? 'invalid input');
    this.errors = errors;
  }
}

/** Shorthand: one refused input field. */
export const refuse = (field: string | null, code: string, message: string): InputErrors =>
  new InputErrors({ field, code, message });
