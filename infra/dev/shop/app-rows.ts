import type { Permission } from './permissions.ts';
import type { AppRecord } from './records.ts';
import type { WritableStore } from './store.ts';
import { randomText, sha256 } from './tokens.ts';

/** A new app with nothing but a name; the caller adds what it knows and stores it. */
export async function blankApp(
  tx: WritableStore,
  about: { name: string; permissions: readonly Permission[]; now: string },
): Promise<AppRecord> {
  return {
    pk: await tx.nextPk('App'),
    identifier: null,
    name: about.name,
    isActive: true,
    type: 'LOCAL',
    permissions: [...about.permissions],
    created: about.now,
    tokens: [],
    installation: null,
    manifestUrl: null,
    appUrl: null,
    version: null,
    author: null,
    about: null,
    dataPrivacyUrl: null,
    homepageUrl: null,
    supportUrl: null,
    configurationUrl: null,
    metadata: {},
    privateMetadata: {},
    updatedAt: about.now,
  };
}

/** A token of exactly 30 characters and the row that knows it by its hash. */
export async function newAppToken(
  tx: WritableStore,
  name: string,
): Promise<{ token: string; row: AppRecord['tokens'][number] }> {
  const token = randomText(30);
  return {
    token,
    row: { pk: await tx.nextPk('AppToken'), name, sha256: sha256(token), last4: token.slice(-4) },
  };
}

/** Removes an app with its webhooks and what was still to be delivered to them. */
export async function removeApp(tx: WritableStore, pk: string): Promise<void> {
  for (const webhook of await tx.find('Webhook', 'app', pk)) {
    await tx.sql('-- removeDeliveries\n delete from delivery where webhook = $1', [webhook.pk]);
    await tx.remove('Webhook', webhook.pk);
  }
  await tx.remove('App', pk);
}
