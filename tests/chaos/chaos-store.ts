import type { SeedTarget } from '../../infra/dev/shop/seed-target.ts';
import type { DemoConnectorSecrets } from '../../infra/dev/state/demo-connector-secrets.ts';

/** A store that jobs use and chaos kills parts of. */
export interface ChaosStore {
  readonly publicOrigin: string;
  /** Superuser URL of its database. */
  readonly adminUrl: string;
  /** Path of the bare repository. */
  readonly repository: string;
  readonly identity: { readonly issuer: string; readonly clientId: string; readonly audience: string };
  readonly shop: SeedTarget & {
    readonly channel: string;
    readonly variants: { readonly pro: string; readonly pack1000: string };
  };
  readonly connectorSecrets: DemoConnectorSecrets;
  readonly vault: { readonly url: string; readonly rootToken: string };
  readonly objects: { readonly url: string; readonly accessKey: string; readonly secretKey: string };
  /** Calls that the orders API got so far; undefined where it is killed with the rest and counts anew. */
  ordersCalls(): number | undefined;
  /** Someone who can sign in and has bought nothing in this seed's name. */
  buyer(name: string): Promise<Buyer>;
  /** Processes that ended by themselves since the last question: a part may be killed, none may crash. */
  crashes(): readonly string[];
  stop(): Promise<void>;
}

export interface Buyer {
  readonly email: string;
  readonly password: string;
}

/** Asks the store's database as the superuser. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<Record<string, string | null>[]>;
