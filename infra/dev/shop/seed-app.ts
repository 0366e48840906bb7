import { setTimeout as sleep } from 'node:timers/promises';
import { askSaleor, type SaleorAccess } from '../../saleor/ask-saleor.ts';
import type { SeedTarget } from './seed-target.ts';

const patienceMs = 30_000;

interface Installation {
  readonly id: string;
  readonly status: string;
  readonly message: string | null;
}

/**
 * Installs an app from its manifest unless one from that address is there, and waits for the handshake. The permissions default to
 * the least that provisioning needs. Throws with the shop's message when it fails.
 */
export async function installApp(
  shop: SeedTarget,
  manifestUrl: string,
  permissions: readonly string[] = ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'],
): Promise<string> {
  const access: SaleorAccess = { url: shop.url, token: await shop.staffToken() };
  const known = await appOf(access, manifestUrl);
  if (known) return known;
  const { appInstall } = await askSaleor<{ appInstall: { appInstallation: Installation } }>(
    access,
    'mutation($input: AppInstallInput!) { appInstall(input: $input) { appInstallation { id status message } errors { field message code } } }',
    { input: { appName: 'Agent Store', manifestUrl, permissions } },
  );
  const { id } = appInstall.appInstallation;
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(50)) {
    const { appsInstallations } = await askSaleor<{ appsInstallations: Installation[] }>(
      access,
      '{ appsInstallations { id status message } }',
    );
    const mine = appsInstallations.find((one) => one.id === id);
    if (mine?.status === 'FAILED') throw new Error(`the app could not be installed: ${mine.message}`);
    const app = mine ? undefined : await appOf(access, manifestUrl);
    if (app) return app;
  }
  throw new Error(`the app was not installed within ${patienceMs} ms: ${manifestUrl}`);
}

async function appOf(access: SaleorAccess, manifestUrl: string): Promise<string | undefined> {
  const { apps } = await askSaleor<{
    apps: { edges: { node: { id: string; manifestUrl: string | null } }[] };
  }>(access, '{ apps(first: 100) { edges { node { id manifestUrl } } } }');
  return apps.edges.find(({ node }) => node.manifestUrl === manifestUrl)?.node.id;
}
