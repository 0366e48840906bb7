import { blankApp, newAppToken, removeApp } from './app-rows.ts';
import type { Shop } from './context.ts';
import { readManifest, type Manifest } from './manifest.ts';
import type { InstallationRecord } from './records.ts';
import { clientHeaders, send } from './send-webhook.ts';
import { inTransaction, openStore, type WritableStore } from './store.ts';

const deadlineMs = 20_000;

/** Why an installation failed, in the words that `appsInstallations{message}` shows. */
class InstallError extends Error {
  override readonly name = 'InstallError';
}

/**
 * The install handshake: GET the manifest, make the app, its token and webhooks, POST the token to `tokenTargetUrl`. Whatever fails takes
 * the app back with it and leaves the installation FAILED with a message; success removes the installation.
 */
export async function installApp(shop: Shop, pk: string): Promise<void> {
  const store = openStore(shop.database);
  const installation = await store.get('AppInstallation', pk);
  if (installation?.status !== 'PENDING') return;
  let appPk: string | undefined;
  try {
    const manifest = await fetchManifest(installation.manifestUrl);
    const made = await inTransaction(shop.database, (tx) => makeApp(shop, tx, { installation, manifest }));
    appPk = made.app;
    await handOver(shop, manifest.tokenTargetUrl, made.token);
    await inTransaction(shop.database, (tx) => tx.remove('AppInstallation', pk));
    shop.log.info({ app: manifest.id, pk: appPk }, 'app installed');
  } catch (error) {
    const message =
      error instanceof InstallError
        ? error.message
        : 'Failed to connect to app. Try later or contact with app support.';
    if (!(error instanceof InstallError))
      shop.log.warn({ err: error, installation: pk }, 'app could not be installed');
    await inTransaction(shop.database, async (tx) => {
      if (appPk) await removeApp(tx, appPk);
      await tx.put('AppInstallation', {
        ...installation,
        status: 'FAILED',
        message,
        updatedAt: shop.now().toISOString(),
      });
    });
  }
}

/** Takes up installations that a stopped shop left pending; an app half made by one is removed first. */
export async function resumeInstallations(shop: Shop): Promise<void> {
  const store = openStore(shop.database);
  for (const installation of await store.all('AppInstallation')) {
    if (installation.status !== 'PENDING') continue;
    await inTransaction(shop.database, async (tx) => {
      for (const app of await tx.find('App', 'installation', installation.pk)) await removeApp(tx, app.pk);
    });
    shop.startInstallation(installation.pk);
  }
}

async function fetchManifest(url: string): Promise<Manifest> {
  const answer = await send({
    method: 'GET',
    url,
    headers: [...clientHeaders, ['Saleor-Schema-Version', '3.22']],
    timeoutMs: deadlineMs,
  });
  if (answer.status < 200 || answer.status > 299) throw new InstallError('Unable to fetch manifest data.');
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    throw new InstallError('Malformed JSON in the manifest.');
  }
  const read = readManifest(value);
  if (!read.ok) throw new InstallError(read.faults.join('; '));
  return read.manifest;
}

async function makeApp(
  shop: Shop,
  tx: WritableStore,
  about: { installation: InstallationRecord; manifest: Manifest },
): Promise<{ app: string; token: string }> {
  const { installation, manifest } = about;
  const [twin] = await tx.find('App', 'identifier', manifest.id);
  if (twin)
    throw new InstallError(`identifier: App with the same identifier is already installed: ${twin.name}`);
  const now = shop.now().toISOString();
  const { token, row } = await newAppToken(tx, 'Default token');
  const app = {
    ...(await blankApp(tx, {
      name: installation.appName || manifest.name,
      permissions: installation.permissions,
      now,
    })),
    identifier: manifest.id,
    isActive: installation.activate,
    type: 'THIRDPARTY' as const,
    tokens: [row],
    installation: installation.pk,
    manifestUrl: installation.manifestUrl,
    appUrl: manifest.appUrl ?? null,
    version: manifest.version,
    author: manifest.author ?? null,
    about: manifest.about ?? null,
    dataPrivacyUrl: manifest.dataPrivacyUrl ?? null,
    homepageUrl: manifest.homepageUrl ?? null,
    supportUrl: manifest.supportUrl ?? null,
    configurationUrl: manifest.configurationUrl ?? null,
  };
  await tx.put('App', app);
  for (const webhook of manifest.webhooks)
    await tx.put('Webhook', {
      pk: await tx.nextPk('Webhook'),
      app: app.pk,
      ...webhook,
      metadata: {},
      privateMetadata: {},
      updatedAt: now,
    });
  return { app: app.pk, token };
}

async function handOver(shop: Shop, target: string, token: string): Promise<void> {
  const domain = new URL(shop.origin).host;
  const answer = await send({
    method: 'POST',
    url: target,
    headers: [
      ...clientHeaders,
      ['Content-Type', 'application/json'],
      ['X-Saleor-Domain', domain],
      ['Saleor-Domain', domain],
      ['Saleor-Api-Url', shop.apiUrl],
      ['Saleor-Schema-Version', '3.22'],
    ],
    body: Buffer.from(`{"auth_token": "${token}"}`),
    timeoutMs: deadlineMs,
  });
  if (answer.status >= 200 && answer.status < 300) return;
  throw new InstallError(`App internal error (${answer.status}). ${ownMessage(answer.body)}`.trim());
}

/** What the app says of its own refusal: `{error: {message}}`. */
function ownMessage(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message : '';
  } catch {
    return '';
  }
}
