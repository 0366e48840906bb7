import { toolIdOf, type ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { DevSecrets } from '../state/secrets.ts';
import { reservePerRun } from './catalogue.ts';
import type { Doubles } from './doubles.ts';
import { putArtifact } from './put-artifact.ts';

interface RequiredConnector {
  /** Slug of the connector, and names of its tools. */
  readonly connector: string;
  readonly tools: readonly string[];
}

/** Where a demo offering is registered, and what its artifact is made from. */
export interface OfferingSite {
  readonly doubles: Pick<Doubles, 'objects' | 'model' | 'upstreams'>;
  readonly secrets: DevSecrets;
  readonly toolsOrigin: string;
  readonly controlPlane: ServiceClient;
}

/**
 * Registers connectors and the offering whose flow calls their tools. It is only tried: the shop has no product for it. Repeating it changes nothing.
 * Answers the tools' ids.
 */
export async function registerToolOffering(
  { doubles, secrets, controlPlane }: OfferingSite,
  offering: {
    readonly slug: string;
    readonly name: string;
    readonly artifact: Buffer;
    readonly connectors: readonly ConnectorDefinition[];
    /** What else it requires: connectors that its buyers import themselves. */
    readonly imported?: readonly RequiredConnector[];
    /** Besides `chat`, with what the trial plan gives of it. */
    readonly capability: {
      readonly name: string;
      readonly title: string;
      readonly description: string;
      readonly limits: object;
    };
  },
): Promise<string[]> {
  const { slug, name, connectors, imported = [] } = offering;
  const required: RequiredConnector[] = [
    ...connectors.map((connector) => ({
      connector: connector.slug,
      tools: connector.tools.map((tool) => tool.name),
    })),
    ...imported,
  ];
  const { limits, ...capability } = offering.capability;
  for (const connector of connectors) await controlPlane.call('PUT', '/internal/connectors', connector);

  const artifact = await putArtifact({ doubles, secrets }, slug, offering.artifact);
  await controlPlane.call('PUT', '/internal/catalogue', {
    publisher: { slug: 'agentstore', name: 'Agent Store' },
    offering: {
      slug,
      name,
      saleorProductId: null,
      saleorChannel: 'default-channel',
      capabilities: [
        { name: 'chat', title: 'Chat', description: 'Answers questions in a conversation.' },
        capability,
      ],
    },
    version: {
      // The artifact holds the addresses of the model and of the gateway: another one is another version.
      version: `1.0.0-${artifact.sha256.slice(0, 8)}`,
      ...artifact,
      config: {},
      configSchema: { type: 'object', properties: {} },
      requiredConnectors: required,
    },
    plans: [
      {
        code: 'trial',
        name: 'Trial',
        saleorVariantId: null,
        includedCredits: '0',
        creditsExpireDays: null,
        config: {},
        entitlements: [
          { capability: 'chat', limits: {} },
          { capability: capability.name, limits },
        ],
        maxRunSeconds: 120,
        maxConcurrentRuns: 5,
      },
    ],
    creditPacks: [],
    rateCard: {
      reserve: reservePerRun,
      prices: [
        { dimension: 'run', unitPrice: '100000000000' },
        { dimension: 'input_token', unitPrice: '1000000000' },
        { dimension: 'output_token', unitPrice: '4000000000' },
      ],
    },
  });
  return required.flatMap(({ connector, tools }) => tools.map((tool) => toolIdOf(connector, tool)));
}
