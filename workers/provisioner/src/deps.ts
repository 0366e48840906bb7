import type { APL } from '@saleor/app-sdk/APL';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import type { Queue } from '@agentstore/kernel/queue';
import type { ShopKeys } from './saleor-app/shop-keys.ts';

/** What the worker needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly queue: Queue;
  readonly authenticate: Authenticator;
  readonly log: Log;
  readonly controlPlane: ServiceClient;
  readonly billing: ServiceClient;
  readonly appBaseUrl: string;
  readonly allowedSaleorApiUrls: readonly string[];
  /** 32 bytes. */
  readonly tokenKey: Buffer;
  /** How long a parked order waits until it is tried again. */
  readonly parkedRetrySeconds: number;
  /** How long deliveries are remembered. */
  readonly inboxDays: number;
}

export interface Room extends Deps {
  readonly apl: APL;
  readonly shopKeys: ShopKeys;
  /** Rung when an order is due. */
  readonly orderChanges: Changes;
}
