import { parse, print } from 'graphql';
import { z } from 'zod';
import { appManifestId } from '@agentstore/provisioner/saleor-app/register';
import { webhookDefinitions } from '@agentstore/provisioner/webhooks/webhook-definitions';
import { askSaleor } from '../../saleor/ask-saleor.ts';
import type { Edges } from '../../saleor/shop.ts';
import { askJson } from '../ask.ts';
import type { Check } from '../check.ts';
import * as operations from './operations.ts';
import type { SaleorPatient } from './patient.ts';

const appPermissions = ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'];
/** Saleor's last attempt is some five minutes after the first; what waits longer is not being sent. */
const pendingTooLongMs = 15 * 60_000;

interface Webhook {
  readonly id: string;
  readonly name: string | null;
  readonly isActive: boolean;
  readonly targetUrl: string;
  readonly subscriptionQuery: string | null;
  readonly asyncEvents: readonly { readonly eventType: string }[];
}
interface InstalledApp {
  readonly id: string;
  readonly identifier: string | null;
  readonly name: string | null;
  readonly isActive: boolean | null;
  readonly manifestUrl: string | null;
  readonly permissions: readonly { readonly code: string }[] | null;
  readonly webhooks: readonly Webhook[] | null;
}

const install =
  'install it: Dashboard → Extensions → Installed → Add Extension → Install from manifest, with the manifest URL';

/** The provisioner as Saleor's app. */
export function appChecks(patient: SaleorPatient): readonly Check[] {
  return [
    {
      name: 'manifest',
      mend: 'start the provisioner, and set its APP_BASE_URL to the origin under which Saleor reaches it; behind a private address Saleor needs HTTP_IP_FILTER_ENABLED=False',
      async look() {
        const { url, manifest } = await manifestOf(patient);
        return `${url}, ${manifest.webhooks.length} webhooks`;
      },
    },
    {
      name: 'app',
      mend: `${install}; an inactive one: Extensions → Installed → Agent Store → Manage app → Activate; missing permissions: on the same page`,
      async look() {
        const app = await installedApp(patient);
        const faults = [
          ...(app.isActive ? [] : ['it is not active: Saleor sends it nothing and refuses its token']),
          ...appPermissions
            .filter((needed) => !app.permissions?.some(({ code }) => code === needed))
            .map((needed) => `it lacks ${needed}`),
        ];
        if (faults.length) throw new Error(faults.join('; '));
        return `“${app.name}” is active, with ${appPermissions.join(' and ')}`;
      },
    },
    {
      name: 'webhooks',
      mend: 'webhooks are copied when the app is installed and not renewed: delete it (Extensions → Installed → Agent Store → Manage app) and install it again; paid orders of the meantime are found by the poll',
      look: () => webhooksAreOurs(patient),
    },
    {
      name: 'deliveries',
      mend: "mend what the answer says (the provisioner's log has it as “webhook refused”); the orders themselves are found by the provisioner's poll, and a FAILED delivery leaves the list after 14 days or when eventDeliveryRetry sends it. PENDING: start Saleor's Celery worker",
      look: () => nothingIsStuck(patient),
    },
  ];
}

const manifestSchema = z.object({
  id: z.string(),
  webhooks: z.array(
    z.object({ targetUrl: z.url(), query: z.string(), asyncEvents: z.array(z.string()).default([]) }),
  ),
});

async function manifestOf(
  patient: SaleorPatient,
): Promise<{ url: string; manifest: z.infer<typeof manifestSchema> }> {
  const url = patient.manifestUrl ?? (await installedApp(patient)).manifestUrl;
  if (!url) throw new Error('the app was installed without a manifest: give --manifest-url');
  const read = manifestSchema.safeParse(await askJson(url, {}, patient.deadlineMs));
  if (!read.success || read.data.id !== appManifestId)
    throw new Error(`${url} answers no manifest of ${appManifestId}`);
  return { url, manifest: read.data };
}

async function installedApp({ access }: SaleorPatient): Promise<InstalledApp> {
  const { apps } = await askSaleor<{ apps: Edges<InstalledApp> }>(access, operations.apps);
  const app = apps.edges.find(({ node }) => node.identifier === appManifestId)?.node;
  if (app) return app;
  const { appsInstallations } = await askSaleor<{
    appsInstallations: readonly { readonly status: string; readonly message: string | null }[];
  }>(access, operations.installations);
  const failed = appsInstallations.find(({ status }) => status === 'FAILED');
  throw new Error(
    `no app ${appManifestId} is installed${failed ? `; an installation failed: ${failed.message}` : ''}`,
  );
}

async function webhooksAreOurs(patient: SaleorPatient): Promise<string> {
  const { manifest } = await manifestOf(patient);
  const { webhooks } = await installedApp(patient);
  const faults = webhookDefinitions.flatMap(({ event }) => {
    const wanted = manifest.webhooks.find(({ asyncEvents }) => asyncEvents.includes(event));
    const there = webhooks?.filter(({ asyncEvents }) =>
      asyncEvents.some(({ eventType }) => eventType === event),
    );
    const found = there?.find(({ targetUrl }) => targetUrl === wanted?.targetUrl) ?? there?.[0];
    if (!found) return [`${event}: not there`];
    if (!found.isActive) return [`${event}: not active`];
    if (found.targetUrl !== wanted?.targetUrl)
      return [`${event}: goes to ${found.targetUrl}, and the manifest says ${wanted?.targetUrl}`];
    return sameQuery(found.subscriptionQuery, wanted.query) ? [] : [`${event}: asks another query`];
  });
  if (faults.length) throw new Error(faults.join('; '));
  return webhookDefinitions.map(({ event }) => event).join(', ');
}

function sameQuery(one: string | null, other: string): boolean {
  try {
    return print(parse(one ?? '')) === print(parse(other));
  } catch {
    return false;
  }
}

interface Attempt {
  readonly createdAt: string;
  readonly responseStatusCode: number | null;
  readonly response: string | null;
}
interface Delivery {
  readonly createdAt: string;
  readonly eventType: string;
  readonly attempts: Edges<Attempt> | null;
}

async function nothingIsStuck(patient: SaleorPatient): Promise<string> {
  const { webhooks } = await installedApp(patient);
  const failed: Delivery[] = [];
  const pending: Delivery[] = [];
  for (const { id } of webhooks ?? []) {
    const { webhook } = await askSaleor<{
      webhook: { failed: Edges<Delivery> | null; pending: Edges<Delivery> | null } | null;
    }>(patient.access, operations.deliveries, { id });
    failed.push(...(webhook?.failed?.edges ?? []).map(({ node }) => node));
    pending.push(...(webhook?.pending?.edges ?? []).map(({ node }) => node));
  }
  const stuck = pending.filter(({ createdAt }) => Date.now() - Date.parse(createdAt) > pendingTooLongMs);
  const faults = [
    ...(failed.length ? [`${failed.length} FAILED, the newest: ${told(newest(failed))}`] : []),
    ...(stuck.length ? [`${stuck.length} PENDING for a long time, the newest: ${told(newest(stuck))}`] : []),
  ];
  if (faults.length) throw new Error(faults.join('; '));
  return `none FAILED, ${pending.length} on their way`;
}

const newest = <T extends { readonly createdAt: string }>(items: readonly T[]): T =>
  items.reduce((last, one) => (Date.parse(one.createdAt) > Date.parse(last.createdAt) ? one : last));

function told({ eventType, createdAt, attempts }: Delivery): string {
  const tries = attempts?.edges.map(({ node }) => node) ?? [];
  const last = tries.length ? newest(tries) : undefined;
  const answer = last
    ? `answered ${last.responseStatusCode ?? 'nothing'}${last.response ? `: ${last.response.slice(0, 120)}` : ''}`
    : 'never tried';
  return `${eventType} of ${createdAt}, ${answer}`;
}
