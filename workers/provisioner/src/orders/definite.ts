import { ServiceError } from '@agentstore/kernel/http/client';

/** A refusal that asking again does not change by itself; anything else (no access yet, too many, a fault) is worth another try. */
export const isDefinite = (error: unknown): boolean =>
  error instanceof ServiceError && [400, 404, 409, 422].includes(error.status);
