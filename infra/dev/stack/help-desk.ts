import { helpDeskArtifact } from '../runtime/demo-flow.ts';
import { knowledgeConnector } from './knowledge-connector.ts';
import { registerToolOffering, type OfferingSite } from './tool-offering.ts';

/** The offering whose flow answers from the project's documents, and cites them. */
export const helpDeskSlug = 'help-desk';

/** Registers the store's own connector to knowledge bases and the offering that needs it; answers the tools' ids. */
export const registerHelpDesk = (site: OfferingSite): Promise<string[]> =>
  registerToolOffering(site, {
    slug: helpDeskSlug,
    name: 'Help desk',
    artifact: helpDeskArtifact({
      modelBaseUrl: site.doubles.model.url,
      gatewayUrl: `${site.toolsOrigin}/mcp`,
    }),
    connectors: [knowledgeConnector],
    capability: {
      name: 'knowledge',
      title: 'Knowledge',
      description: "Answers from the buyer's own documents.",
      limits: { knowledgeBases: 2, documents: 20, bytes: 20 * 2 ** 20 },
    },
  });
