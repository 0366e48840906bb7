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
  const { doubles, controlPlane } = options;
  const connectors = demoConnectors({
    ordersOrigin: doubles.upstreams.url,
    statusOrigin: doubles.upstreams.url,
  });
  for (const connector of connectors) await controlPlane.call('PUT', '/internal/connectors', connector);
  await registerTrial({
    ...options,
    slug: orderDeskSlug,
    name: 'Order desk',
    artifact: orderDeskArtifact({
      modelBaseUrl: doubles.model.url,
      gatewayUrl: `${options.toolsOrigin}/mcp`,
    }),
    requiredConnectors: connectors.map(({ slug, tools }) => ({
      connector: slug,
      tools: tools.map(({ name }) => name),
    })),
  });
  return { tools: connectors.flatMap(({ slug, tools }) => tools.map(({ name }) => toolIdOf(slug, name))) };
}

/** Registers an offering of one flow that is tried and not sold. */
export async function registerTrial(options: {
  doubles: Pick<Doubles, 'objects'>;
  secrets: DevSecrets;
  controlPlane: ServiceClient;
  slug: string;
  name: string;
  artifact: Buffer;
  requiredConnectors: readonly { connector: string; tools: readonly string[] }[];
}): Promise<void> {
  const { doubles, secrets, controlPlane, slug, name, artifact: bytes, requiredConnectors } = options;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const objectKey = `${slug}/${sha256}.json`;
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
      slug,
      name,
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
      requiredConnectors,
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
}
