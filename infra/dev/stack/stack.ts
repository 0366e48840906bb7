import path from 'node:path';
import type { HttpServer } from '@agentstore/kernel/http/server';
import type { Log } from '@agentstore/kernel/log';
import { buildGraphiql, graphiqlDir } from '@agentstore/router/graphiql-build';
import { buildWidget, widgetDir } from '@agentstore/widget/build';
import type { Progress } from '../progress.ts';
import { seedShop, type SeededShop } from '../shop/seed.ts';
import { startCustomerSite } from '../customer-site/customer-site.ts';
import { readDescription } from '../state/description.ts';
import { keepPorts, type Ports } from '../state/ports.ts';
import { devSecrets, type DevSecrets } from '../state/secrets.ts';
import { mountApps, type MountedApps } from './apps.ts';
import { registerCatalogue, type Catalogue } from './catalogue.ts';
import { startDoubles, type Doubles } from './doubles.ts';
import { registerHelpDesk } from './help-desk.ts';
import { registerOrderDesk } from './order-desk.ts';
import { publisherOrganization } from './publisher.ts';
import { refreshSupergraph } from './supergraph.ts';

export interface StackOptions {
  readonly stateDir: string;
  readonly ports: Ports;
  readonly runtime: 'dev' | 'lfx';
  readonly postgres?: { readonly adminUrl: string; readonly appUrl: string };
  /** Pause of the scripted model before each token. */
  readonly delayPerTokenMs?: number;
  /** Aborted: no step begins any more (see Progress), and an install under way ends. */
  readonly signal?: AbortSignal;
  /** The shop's waits after failed deliveries; Saleor's when absent. */
  readonly shopRetryScheduleSeconds?: readonly number[];
  /** Builds GraphiQL when its sources changed, and serves it. */
  readonly graphiql?: boolean;
  /** Builds the widget when its sources changed, and serves it; a customer's site that carries it is up too. */
  readonly widget?: boolean;
  /** Origins besides the demo upstreams' that tools may call although they are on loopback. */
  readonly privateOrigins?: readonly string[];
  /** How often it is asked whether the credential of a stream or a visitor still holds; 25 s when absent. */
  readonly recheckMs?: number;
  readonly log: Log;
  readonly progress: Progress;
}

/** The whole store, running in this process (PostgreSQL beside it). */
export interface Stack {
  readonly publicOrigin: string;
  /** Where the shop reaches the provisioner. */
  readonly provisionerOrigin: string;
  /** Of the tool gateway, where flows call their tools. */
  readonly toolsOrigin: string;
  /** Of the customer's site, which is up with `widget`. */
  readonly siteOrigin: string;
  readonly secrets: DevSecrets;
  readonly doubles: Doubles;
  readonly mounted: MountedApps;
  readonly shop: SeededShop;
  readonly catalogue: Catalogue;
  /** Stops everything in order: our apps first, then what they stand on. */
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { stateDir, ports, log, progress } = options;
  const publicOrigin = `http://127.0.0.1:${ports.router}`;
  const toolsOrigin = `http://127.0.0.1:${ports.tools}`;
  const siteOrigin = `http://127.0.0.1:${ports.site}`;
  const supergraphFile = path.join(stateDir, 'supergraph.graphql');
  const secrets = await devSecrets(stateDir);
  const doubles = await startDoubles({
    ...options,
    secrets,
    publicOrigin,
    delayPerTokenMs: options.delayPerTokenMs ?? 15,
  });
  let mounted: MountedApps | undefined;
  let site: HttpServer | undefined;
  const stop = async (): Promise<void> => {
    await site?.close();
    await mounted?.stop();
    await doubles.stop();
  };
  try {
    await progress.step('supergraph', async (say) =>
      say(await refreshSupergraph(supergraphFile, doubles.shop.url)),
    );
    if (options.graphiql)
      await progress.step('GraphiQL', async (say) =>
        say((await buildGraphiql()) ? 'built from our own packages' : 'unchanged'),
      );
    if (options.widget)
      await progress.step('widget', async (say) => {
        const isBuilt = await buildWidget();
        site = await startCustomerSite({
          port: ports.site,
          store: publicOrigin,
          widgetKey: () => readDescription(stateDir)?.demo?.widgetKey,
          log,
        });
        say(`${isBuilt ? 'built' : 'unchanged'}; a site that carries it at ${siteOrigin}`);
      });
    mounted = await progress.step('subgraphs and workers', async (say) => {
      const started = await mountApps({
        stateDir,
        ports,
        secrets,
        publicOrigin,
        supergraphFile,
        graphiqlDir: options.graphiql ? graphiqlDir : undefined,
        widget: options.widget ? { dir: widgetDir, demoUrl: siteOrigin } : undefined,
        doubles,
        privateOrigins: options.privateOrigins ?? [],
        recheckMs: options.recheckMs ?? 25_000,
        log,
      });
      say(`${Object.keys(started.apps).join(', ')} in one process`);
      return started;
    });
    // All parts listen; from here on their addresses are written into data.
    keepPorts(stateDir, ports);
    const shop = await progress.step('catalogue of the shop', async (say) => {
      await doubles.shop.setOidcPlugin({
        jwksUrl: doubles.identity.jwksUrl,
        userInfoUrl: `${publicOrigin}/oidc/userinfo`,
        audience: `${publicOrigin}/graphql`,
      });
      const seeded = await seedShop(doubles.shop, {
        appManifestUrl: `http://127.0.0.1:${ports.provisioner}/api/manifest`,
      });
      say(`product ${seeded.productSlug}, plans and credit packs; the provisioner is installed as an app`);
      return seeded;
    });
    const catalogue = await progress.step('offering', async (say) => {
      const registered = await registerCatalogue({
        doubles,
        secrets,
        shop,
        publisherOrganizationId: await publisherOrganization(doubles.identity, `${publicOrigin}/graphql`),
        controlPlane: mounted!.clientOf('control-plane', 'seed'),
      });
      say(`artifact sha256 ${registered.artifactSha256.slice(0, 16)}… in object storage`);
      return registered;
    });
    await progress.step('tools', async (say) => {
      const controlPlane = mounted!.clientOf('control-plane', 'seed');
      const site = { doubles, secrets, toolsOrigin, controlPlane };
      const tools = [...(await registerOrderDesk(site)), ...(await registerHelpDesk(site))];
      say(`${tools.join(', ')} at ${toolsOrigin}`);
    });
    return {
      publicOrigin,
      provisionerOrigin: `http://127.0.0.1:${ports.provisioner}`,
      toolsOrigin,
      siteOrigin,
      secrets,
      doubles,
      mounted,
      shop,
      catalogue,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
