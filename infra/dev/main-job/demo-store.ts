import path from 'node:path';
import { signIn } from '../identity/sign-in.ts';
import { payFor } from '../shop/pay-for.ts';
import { askSaleor } from '../../saleor/ask-saleor.ts';
import { helpDeskSlug } from '../stack/help-desk.ts';
import { orderDeskSlug } from '../stack/order-desk.ts';
import { demoConnectorSecrets } from '../state/demo-connector-secrets.ts';
import type { DevDescription } from '../state/description.ts';
import { provisionerDeliveries } from './provisioner-deliveries.ts';
import { formatCredits } from '@agentstore/kernel/credits';
import { GraphError, graphClient } from './graph-client.ts';
import { demoState } from './operations.ts';
import type { KnowledgeJobStore } from './knowledge-job.ts';
import type { MainJobResult, MainJobStore } from './main-job.ts';
import type { ToolJobStore } from './tool-job.ts';
import type { WidgetJobStore } from './widget-job.ts';

/** The main job's view of the store that `dev.json` describes: the demo buyer, the Pro plan, and a payment provider that always pays. */
export function mainJobStore(description: DevDescription, stateDir: string): MainJobStore {
  const { urls, oidc, offering, shop } = description;
  const buyer = description.users.find(({ email }) => email.startsWith('buyer@'))!;
  const signInBuyer = () =>
    signIn({
      issuer: oidc.issuer,
      clientId: oidc.clientId,
      audience: oidc.audience,
      email: buyer.email,
      password: buyer.password,
    });
  return {
    graphqlUrl: urls.graphql,
    offeringSlug: offering.slug,
    planCode: 'pro',
    creditPackVariantId: offering.creditPacks['1000']!,
    channel: shop.channel,
    buyer: { email: buyer.email, signIn: signInBuyer },
    pay: async (checkoutId) => {
      const { tokenCreate } = await askSaleor<{ tokenCreate: { token: string } }>(
        { url: urls.shop, token: '' },
        'mutation($email: String!, $password: String!) { tokenCreate(email: $email, password: $password) { token } }',
        { ...shop.admin },
      );
      await payFor(
        { url: urls.shop, staffToken: async () => tokenCreate.token },
        { id: checkoutId, pspReference: crypto.randomUUID() },
      );
    },
    deliveries: provisionerDeliveries(urls.provisioner, stateDir),
  };
}

/** The tool job's view of it, for the organization that the main job was done for. */
export function toolJobStore(
  { urls }: DevDescription,
  stateDir: string,
  { accessToken, organizationId, projectId }: MainJobResult,
): ToolJobStore {
  return {
    graphqlUrl: urls.graphql,
    accessToken,
    organizationId,
    projectId,
    offeringSlug: orderDeskSlug,
    secrets: { ...demoConnectorSecrets(stateDir) },
  };
}

/** A manual and terms of the bench's own corpus. */
const corpus = path.join(import.meta.dirname, '../../../tests/bench/knowledge/corpus');

/** The knowledge job's view of it, for the same. */
export const knowledgeJobStore = (
  { urls }: DevDescription,
  { accessToken, projectId }: MainJobResult,
): KnowledgeJobStore => ({
  graphqlUrl: urls.graphql,
  accessToken,
  projectId,
  offeringSlug: helpDeskSlug,
  documents: [
    { file: path.join(corpus, 'espresso-machine.pdf'), contentType: 'application/pdf' },
    { file: path.join(corpus, 'returns.md'), contentType: 'text/markdown' },
  ],
});

/** The widget job's view of it, for an agent of the same. */
export const widgetJobStore = (
  { urls }: DevDescription,
  { accessToken }: MainJobResult,
  instanceId: string,
): WidgetJobStore => ({
  origin: urls.origin,
  graphqlUrl: urls.graphql,
  accessToken,
  instanceId,
  site: urls.site,
});

/**
 * Why the demo organization of `dev.json` cannot run its instance with its API key any more; undefined when it can. Asked through the router with that
 * key, as a script would.
 */
export async function demoFault(
  { urls, offering }: DevDescription,
  demo: NonNullable<DevDescription['demo']>,
): Promise<string | undefined> {
  const graph = graphClient({ url: urls.graphql, token: demo.apiKey });
  try {
    const { instance, wallet } = await graph.query<{
      instance: { state: string } | null;
      wallet: { available: string; state: string } | null;
    }>(demoState, { instanceId: demo.instanceId, organizationId: demo.organizationId });
    if (instance?.state !== 'ACTIVE') return `its instance is ${instance ? instance.state : 'not there'}`;
    if (!wallet || wallet.state === 'FROZEN') return `its wallet is ${wallet?.state ?? 'not there'}`;
    if (BigInt(wallet.available) < BigInt(offering.reservePerRun))
      return `its ${formatCredits(BigInt(wallet.available))} credits are too few for a run`;
    return undefined;
  } catch (error) {
    if (error instanceof GraphError) return `its API key is refused (${error.codes.join(', ')})`;
    throw error;
  } finally {
    await graph.close();
  }
}

/** An API key of the demo organization, for scripts that read dev.json. */
export async function makeDemoKey(description: DevDescription, result: MainJobResult): Promise<string> {
  const graph = graphClient({ url: description.urls.graphql, token: result.accessToken });
  try {
    const { apiKeyCreate } = await graph.query<{
      apiKeyCreate: { key: string | null; errors: { code: string }[] };
    }>('mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key errors { code } } }', {
      input: {
        organizationId: result.organizationId,
        name: 'Demo',
        scopes: [
          'organization:read',
          'instance:read',
          'wallet:read',
          'run:read',
          'run:start',
          'run:cancel',
          'instance:create',
          'instance:configure',
          'instance:pause',
          'connector:manage',
          'audit:read',
          'knowledge:read',
          'knowledge:manage',
        ],
      },
    });
    if (!apiKeyCreate.key) throw new Error(`no API key: ${apiKeyCreate.errors[0]?.code}`);
    return apiKeyCreate.key;
  } finally {
    await graph.close();
  }
}
