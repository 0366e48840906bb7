import type { BodyLimit } from './http/server.ts';

/**
 * One process of the store, ready to serve: its fetch handler, and its background work. `npm start` mounts many in one process,
 * a deployment runs one; the code is the same.
 */
export interface App {
  readonly name: string;
  /** What bodies its server takes; without it the server's own limit holds. */
  readonly bodies?: BodyLimit;
  /** Serves GraphQL, internal REST and health. Never throws: faults become 500 problem+json. */
  fetch(request: Request): Promise<Response>;
  /** Starts background work (relays, sweeps, listeners). Resolves when it is running. */
  start(): Promise<void>;
  /** Stops taking work, lets what is under way finish, frees what start() took. Safe to call twice. */
  stop(): Promise<void>;
}
