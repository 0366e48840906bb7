import path from 'node:path';
import { graphClient } from '../main-job/graph-client.ts';
import { browse } from '../main-job/operations.ts';
import { shopAdmin } from '../shop/server.ts';
import type { DevDescription } from '../state/description.ts';
import { offeringSlug, reservePerRun } from './catalogue.ts';
import type { Stack } from './stack.ts';

/** What `dev.json` says of a running stack. Ids of the graph are read from the graph, as everybody reads them. */
export async function describeStack(
  { publicOrigin, provisionerOrigin, toolsOrigin, siteOrigin, doubles, shop }: Stack,
  options: { stateDir: string; demo: DevDescription['demo'] },
): Promise<DevDescription> {
  const { issuer, clientId, audience, users } = doubles.identity;
  const graphql = `${publicOrigin}/graphql`;
  const offering = await soldOffering(graphql);
  return {
    startedAt: new Date().toISOString(),
    pid: process.pid,
    urls: {
      origin: publicOrigin,
      graphql,
      graphqlWs: graphql.replace('http', 'ws'),
      rest: `${publicOrigin}/v1`,
      graphiql: `${publicOrigin}/graphiql`,
      openApi: `${publicOrigin}/v1/openapi.json`,
      identity: issuer,
      shop: doubles.shop.url,
      provisioner: provisionerOrigin,
      objects: doubles.objects.url,
      runtime: doubles.runtime.url,
      model: doubles.model.url,
      tools: toolsOrigin,
      vault: doubles.vault.url,
      site: siteOrigin,
      widgetDemo: `${publicOrigin}/widget/demo`,
      database: doubles.databaseUrl,
    },
    directories: {
      state: options.stateDir,
      database: doubles.postgres?.dataDir ?? null,
      git: path.join(options.stateDir, 'git/agentstore.git'),
    },
    runtime: doubles.runtime.name,
    users: users.map(({ email, password, roles }) => ({ email, password, roles })),
    oidc: { issuer, clientId, audience },
    shop: { channel: shop.channel, productId: shop.productId, admin: shopAdmin },
    offering: {
      slug: offeringSlug,
      id: offering.id,
      versionId: offering.currentVersion.id,
      artifactSha256: offering.currentVersion.sha256,
      plans: Object.fromEntries(offering.plans.map(({ code, id }) => [code, id])),
      variants: Object.fromEntries(
        offering.plans.flatMap(({ code, variant }) => (variant ? [[code, variant.id]] : [])),
      ),
      creditPacks: { '1000': shop.variants.pack1000.id, '5000': shop.variants.pack5000.id },
      reservePerRun,
    },
    demo: options.demo,
  };
}

interface Sold {
  readonly id: string;
  readonly currentVersion: { readonly id: string; readonly sha256: string };
  readonly plans: readonly {
    readonly id: string;
    readonly code: string;
    readonly variant: { readonly id: string } | null;
  }[];
}

async function soldOffering(url: string): Promise<Sold> {
  const graph = graphClient({ url });
  try {
    const { offering } = await graph.query<{ offering: Sold | null }>(browse, { slug: offeringSlug });
    if (!offering) throw new Error(`the graph has no offering ${offeringSlug}`);
    return offering;
  } finally {
    await graph.close();
  }
}
