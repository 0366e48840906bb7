import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata } from 'oidc-provider';
import { openDatabase } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { startLoop } from '@agentstore/kernel/loop';
import { putAccount, type NewUser } from './accounts.store.ts';
import { sweepArtifacts } from './artifacts.store.ts';
import { webClientId } from './clients.ts';
import { demoUsers, type DemoUser } from './demo-users.ts';
import { loadIdentityState } from './identity-state.ts';
import { createProvider } from './provider.ts';
import { serviceAudience, servicePermissions } from './services.ts';

export type { NewUser } from './accounts.store.ts';

export interface IdentityOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Port that the issuer's name carries when something stands in front; the listening one when absent. */
  readonly issuerPort?: number;
  /** Holds `identity.json` (mode 0600): signing keys, cookie keys, client secrets, demo passwords. */
  readonly stateDir: string;
  /** A PostgreSQL in which this folder's migrations ran (schema `dev_identity`), as the application role. */
  readonly databaseUrl: string;
  /** Origin of the router, e.g. `http://127.0.0.1:4000`; people's tokens are for its `/graphql`. */
  readonly publicOrigin: string;
  /** Who can sign in; the demo's buyer, operator and publisher when absent. */
  readonly users?: readonly DemoUser[];
  /** Clients beside `agentstore-web` and the services. */
  readonly clients?: readonly ClientMetadata[];
  /** Pause between two removals of what has expired; an hour when absent. */
  readonly sweepEveryMs?: number;
  readonly log: Log;
}

/** A running identity provider on loopback. */
export interface Identity {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly tokenUrl: string;
  readonly authorizationUrl: string;
  /** `aud` of people's access tokens. */
  readonly audience: string;
  /** `aud` of services' access tokens. */
  readonly serviceAudience: string;
  readonly users: readonly { email: string; password: string; name: string; roles: readonly string[] }[];
  /** The public client (PKCE). */
  readonly clientId: string;
  /** Secret of each service client, by client id. */
  readonly serviceSecrets: Readonly<Record<string, string>>;
  /** Adds a person, or changes the one with this e-mail. Answers their `sub`. */
  addUser(user: NewUser): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the provider. What it answered outlives it: artifacts are in PostgreSQL, keys and secrets in the state directory. */
export async function startIdentity(options: IdentityOptions): Promise<Identity> {
  const { log } = options;
  const people = options.users ?? demoUsers;
  const state = await loadIdentityState(options.stateDir, {
    clients: Object.keys(servicePermissions),
    users: people.map(({ email }) => email),
  });
  const database = openDatabase({ url: options.databaseUrl, schema: 'dev_identity', log, max: 5 });
  const server = http.createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  try {
    for (const person of people)
      await putAccount(database, { ...person, password: state.passwords[person.email]! });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(options.port, '127.0.0.1', resolve),
    );
  } catch (error) {
    await database.close();
    throw error;
  }
  const sweep = startLoop({
    name: 'identity-sweep',
    log,
    everyMs: options.sweepEveryMs ?? 3_600_000,
    work: () => sweepArtifacts(database),
  });
  const issuer = `http://127.0.0.1:${options.issuerPort ?? (server.address() as AddressInfo).port}`;
  const audience = `${options.publicOrigin}/graphql`;
  const provider = createProvider({ issuer, audience, database, state, clients: options.clients ?? [], log });
  const handle = provider.callback();
  server.on('request', (incoming, outgoing) => void handle(incoming, outgoing));
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    tokenUrl: `${issuer}/token`,
    authorizationUrl: `${issuer}/auth`,
    audience,
    serviceAudience,
    users: people.map(({ email, givenName, familyName, roles = [] }) => ({
      email,
      password: state.passwords[email]!,
      name: `${givenName} ${familyName}`,
      roles,
    })),
    clientId: webClientId,
    serviceSecrets: Object.fromEntries(
      Object.keys(servicePermissions).map((id) => [id, state.clientSecrets[id]!]),
    ),
    addUser: (user) => putAccount(database, user),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(timer);
      await sweep.stop();
      await database.close();
    },
  };
}
