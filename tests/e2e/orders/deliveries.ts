import path from 'node:path';
import { systemScope } from '@agentstore/kernel/access';
import { openDatabase } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { openQueue } from '@agentstore/kernel/queue';
import { pollShops } from '@agentstore/provisioner/orders/poll-orders.task';
import { loadSigningKey } from '../../../infra/dev/shop/keys.ts';
import { signBody } from '../../../infra/dev/shop/send-webhook.ts';
import type { Store } from '../support/store.ts';

/** A webhook request as the shop signed it. */
export interface Delivery {
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** Sends it; what the transport adds by itself is left to it. */
export const deliver = async ({ url, headers, body }: Delivery): Promise<number> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: headers
      .filter(([name]) => !/^(host|connection|content-length|accept-encoding)$/i.test(name))
      .map(([name, value]): [string, string] => [name, value]),
    body: new Uint8Array(body),
  });
  return answer.status;
};

/** Another body in the place of a delivery's, signed with the shop's own key. */
export async function signedAnew(store: Store, delivery: Delivery, text: string): Promise<Delivery> {
  const key = await loadSigningKey(path.join(store.stateDir, 'shop'));
  const body = Buffer.from(text);
  const signature = await signBody(key, body);
  return {
    url: delivery.url,
    headers: delivery.headers.map(([name, value]) => [name, /signature$/i.test(name) ? signature : value]),
    body,
  };
}

/** The poll runs now instead of at the next full minute. */
export async function pollNow(store: Store): Promise<void> {
  const url = store.stack.doubles.databaseUrl;
  const queue = await openQueue({ url, log: silentLog });
  const database = openDatabase({ url, schema: 'provisioner', log: silentLog });
  try {
    await database.transaction(systemScope('test'), (tx) => queue.enqueue(tx, pollShops, {}));
  } finally {
    await queue.stop();
    await database.close();
  }
}
