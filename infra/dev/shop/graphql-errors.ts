import { GraphQLError } from 'graphql';
import type { Log } from '@agentstore/kernel/log';
import { ShopError } from './errors.ts';

/** A GraphQL error as Saleor prints it. Faults are masked and logged. */
export function formatErrors(errors: readonly GraphQLError[], log: Log): object[] {
  return errors.map((error) => {
    const cause = error.originalError;
    const known =
      cause === undefined || cause === null || cause instanceof ShopError || cause instanceof GraphQLError;
    if (!known) log.error({ err: cause, path: error.path }, 'a field of the dev shop failed');
    return {
      message: known ? error.message.replace(/ Did you mean .*$/s, '') : 'Internal Server Error',
      ...(error.locations ? { locations: error.locations } : {}),
      ...(error.path ? { path: error.path } : {}),
      extensions: {
        exception: { code: cause instanceof ShopError ? cause.code : known ? 'GraphQLError' : cause.name },
      },
    };
  });
}
