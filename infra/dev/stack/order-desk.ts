import { orderDeskArtifact } from '../runtime/demo-flow.ts';
import { demoConnectors } from '../upstreams/connectors.ts';
import { registerToolOffering, type OfferingSite } from './tool-offering.ts';

/** The offering whose flow calls tools of two systems with the buyer's own secrets. */
export const orderDeskSlug = 'order-desk';

/** Registers the demo's connectors and the offering that needs them; answers the tools' ids. */
export const registerOrderDesk = (site: OfferingSite): Promise<string[]> =>
  registerToolOffering(site, {
    slug: orderDeskSlug,
    name: 'Order desk',
    artifact: orderDeskArtifact({
      modelBaseUrl: site.doubles.model.url,
      gatewayUrl: `${site.toolsOrigin}/mcp`,
    }),
    connectors: demoConnectors({
      ordersOrigin: site.doubles.upstreams.url,
      statusOrigin: site.doubles.upstreams.url,
    }),
    capability: {
      name: 'tools',
      title: 'Tools',
      description: "Looks into the buyer's own systems.",
      limits: {},
    },
  });
