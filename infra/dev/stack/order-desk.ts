import { createHash } from 'node:crypto';
import { Client } from 'minio';
import { toolIdOf } from '@agentstore/kernel/connector-definition';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import { orderDeskArtifact } from '../runtime/demo-flow.ts';
import type { DevSecrets } from '../state/secrets.ts';
import { demoConnectors } from '../upstreams/connectors.ts';
import { reservePerRun } from './catalogue.ts';
import { artifactBucket, type Doubles } from './doubles.ts';

/** The offering whose flow calls tools. It is only tried: the shop has no product for it. */
export const orderDeskSlug = 'order-desk';

/** Registers the demo's connectors and the offering that needs them. Repeating it changes nothing. */
export async function registerOrderDesk(options: {
  doubles: Pick<Doubles, 'objects' | 'model' | 'upstreams'>;
  secrets: DevSecrets;
  toolsOrigin: string;
  controlPlane: ServiceClient;
}): Promise<{ tools: string[] }> {
  const { doubles, secrets, controlPlane } = options;
  const connectors = demoConnectors({
    ordersOrigin: doubles.upstreams.url,
    statusOrigin: doubles.upstreams.url,
  });
  for (const connector of connectors) await controlPlane.call('PUT', '/internal/connectors', connector);

  const bytes = orderDeskArtifact({
    modelBaseUrl: doubles.model.url,
    gatewayUrl: `${options.toolsOrigin}/mcp`,
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const objectKey = `${orderDeskSlug}/${sha256}.json`;
  const objects = new Client({
    endPoint: doubles.objects.endPoint,
    port: doubles.objects.port,
    useSSL: false,
    ...secrets.objects,
    region: 'us-east-1',
  });
  await objects.putObject(artifactBucket, objectKey, bytes, bytes.length, {
    'content-type': 'application/json',
  });
  await controlPlane.call('PUT', '/internal/catalogue', {
    publisher: { slug: 'agentstore', name: 'Agent Store' },
    offering: {
      slug: orderDeskSlug,
      name: 'Order desk',
      saleorProductId: null,
      saleorChannel: 'default-channel',
      capabilities: [
        { name: 'chat', title: 'Chat', description: 'Answers questions in a conversation.' },
        { name: 'tools', title: 'Tools', description: "Looks into the buyer's own systems." },
      ],
    },
    version: {
      // The artifact holds the addresses of the model and of the gateway: another one is another version.
      version: `1.0.0-${sha256.slice(0, 8)}`,
      bucket: artifactBucket,
      objectKey,
      sha256,
      sizeBytes: bytes.length,
      config: {},
      configSchema: { type: 'object', properties: {} },
      requiredConnectors: connectors.map(({ slug, tools }) => ({
        connector: slug,
        tools: tools.map(({ name }) => name),
      })),
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
          { capability: 'tools', limits: {} },
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
  return { tools: connectors.flatMap(({ slug, tools }) => tools.map(({ name }) => toolIdOf(slug, name))) };
}
