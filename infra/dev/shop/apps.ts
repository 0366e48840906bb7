import { blankApp, newAppToken, removeApp } from './app-rows.ts';
import { permissionItem } from './accounts.ts';
import { has, mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { deliveriesOf, deliveryById, retryDelivery, type DeliveryRow } from './deliveries.store.ts';
import { permissionDenied, refuse } from './errors.ts';
import { pkOf, toId } from './global-id.ts';
import { idField, metadataFields } from './metadata.ts';
import { pageOf, type PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import type { Permission } from './permissions.ts';
import type { AppRecord, InstallationRecord, WebhookRecord } from './records.ts';
import type { WritableStore } from './store.ts';
import { subscriptionEvents } from './webhook-query.ts';

const isOwn = async (ctx: ShopContext, app: string): Promise<boolean> => {
  const requestor = await ctx.requestor();
  return requestor.kind === 'app' && requestor.app.pk === app;
};
const requireOwner = async (ctx: ShopContext, app: string): Promise<void> => {
  if (!(await isOwn(ctx, app))) await requirePermission(ctx, ['MANAGE_APPS'], ['OWNER']);
};

export const appQueries = {
  app: async (_: unknown, { id }: { id?: string | null }, ctx: ShopContext) => {
    const requestor = await ctx.requestor();
    if (!id) {
      if (requestor.kind === 'app') return requestor.app;
      if (requestor.kind === 'user' && requestor.user.isStaff) return null;
      throw permissionDenied('AUTHENTICATED_STAFF_USER', 'AUTHENTICATED_APP');
    }
    const pk = pkOf('App', id);
    if (!(await isOwn(ctx, pk)) && !has(requestor, 'MANAGE_APPS'))
      throw permissionDenied('OWNER', 'MANAGE_APPS');
    return ctx.store.get('App', pk);
  },
  apps: async (_: unknown, args: PageArgs, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_APPS']);
    return pageOf('apps', await ctx.store.all('App'), { ...args, keyOf: (app) => app.pk });
  },
  appsInstallations: async (_: unknown, _args: unknown, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_APPS']);
    return ctx.store.all('AppInstallation');
  },
  webhook: async (_: unknown, { id }: { id: string }, ctx: ShopContext) => {
    const webhook = await ctx.store.get('Webhook', pkOf('Webhook', id));
    await requireOwner(ctx, webhook?.app ?? '');
    return webhook ?? null;
  },
};

const activate = (ctx: ShopContext, id: string, isActive: boolean) =>
  payload(async () => {
    await requirePermission(ctx, ['MANAGE_APPS']);
    return mutate(ctx, async (tx) => {
      const old = await tx.lock('App', pkOf('App', id));
      if (!old) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
      const app = { ...old, isActive, updatedAt: timestamp(ctx.shop) };
      await tx.put('App', app);
      return { app };
    });
  });

interface WebhookInput {
  name?: string | null;
  targetUrl?: string | null;
  asyncEvents?: string[] | null;
  app?: string | null;
  isActive?: boolean | null;
  query?: string | null;
  customHeaders?: string | null;
}

async function createWebhook(
  ctx: ShopContext,
  tx: WritableStore,
  input: WebhookInput,
): Promise<WebhookRecord> {
  const requestor = await ctx.requestor();
  const app = input.app ? pkOf('App', input.app) : requestor.kind === 'app' ? requestor.app.pk : undefined;
  if (!app || !(await tx.get('App', app)))
    throw refuse('app', 'NOT_FOUND', "The app doesn't exist or is disabled.");
  if (!input.targetUrl || !URL.canParse(input.targetUrl))
    throw refuse('targetUrl', 'INVALID', 'Enter a valid URL.');
  const parsed = subscriptionEvents(input.query ?? '');
  if (!parsed.ok) throw refuse('query', parsed.code, parsed.message);
  return {
    pk: await tx.nextPk('Webhook'),
    app,
    name: input.name ?? '',
    targetUrl: input.targetUrl,
    events: input.asyncEvents?.length ? input.asyncEvents : [...parsed.events],
    query: input.query ?? '',
    isActive: input.isActive ?? true,
    customHeaders: input.customHeaders ? (JSON.parse(input.customHeaders) as Record<string, string>) : {},
    metadata: {},
    privateMetadata: {},
    updatedAt: timestamp(ctx.shop),
  };
}

interface InstallInput {
  appName?: string | null;
  manifestUrl?: string | null;
  activateAfterInstallation?: boolean | null;
  permissions?: Permission[] | null;
}

export const appMutations = {
  /** Answers at once; the handshake goes on by itself, and a failure stays readable in `appsInstallations`. */
  appInstall: (_: unknown, { input }: { input: InstallInput }, ctx: ShopContext) =>
    payload(async () => {
      const requestor = await requirePermission(ctx, ['MANAGE_APPS']);
      if (
        !input.manifestUrl ||
        !/^https?:$/.test(URL.canParse(input.manifestUrl) ? new URL(input.manifestUrl).protocol : '')
      )
        throw refuse('manifestUrl', 'INVALID_URL_FORMAT', 'Enter a valid URL.');
      const beyond = (input.permissions ?? []).filter((permission) => !has(requestor, permission));
      if (beyond.length)
        throw refuse(
          'permissions',
          'OUT_OF_SCOPE_PERMISSION',
          "You can't add permission that you don't have.",
        );
      const now = timestamp(ctx.shop);
      const appInstallation = await mutate(ctx, async (tx) => {
        const row: InstallationRecord = {
          pk: await tx.nextPk('AppInstallation'),
          appName: input.appName ?? '',
          manifestUrl: input.manifestUrl!,
          permissions: input.permissions ?? [],
          activate: input.activateAfterInstallation ?? true,
          status: 'PENDING',
          message: null,
          createdAt: now,
          metadata: {},
          privateMetadata: {},
          updatedAt: now,
        };
        await tx.put('AppInstallation', row);
        return row;
      });
      ctx.shop.startInstallation(appInstallation.pk);
      return { appInstallation };
    }),
  appActivate: (_: unknown, { id }: { id: string }, ctx: ShopContext) => activate(ctx, id, true),
  appDeactivate: (_: unknown, { id }: { id: string }, ctx: ShopContext) => activate(ctx, id, false),
  appDelete: (_: unknown, { id }: { id: string }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_APPS']);
      return mutate(ctx, async (tx) => {
        const app = await tx.lock('App', pkOf('App', id));
        if (!app) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
        await removeApp(tx, app.pk);
        return { app };
      });
    }),
  appCreate: (
    _: unknown,
    { input }: { input: { name?: string | null; permissions?: Permission[] | null } },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_APPS']);
      return mutate(ctx, async (tx) => {
        const blank = await blankApp(tx, {
          name: input.name ?? '',
          permissions: input.permissions ?? [],
          now: timestamp(ctx.shop),
        });
        const { token, row } = await newAppToken(tx, 'Default');
        const app = { ...blank, tokens: [row] };
        await tx.put('App', app);
        return { authToken: token, app };
      });
    }),
  webhookCreate: (_: unknown, { input }: { input: WebhookInput }, ctx: ShopContext) =>
    payload(async () => {
      const requestor = await ctx.requestor();
      if (requestor.kind !== 'app') await requirePermission(ctx, ['MANAGE_APPS'], ['AUTHENTICATED_APP']);
      return mutate(ctx, async (tx) => {
        const webhook = await createWebhook(ctx, tx, input);
        await tx.put('Webhook', webhook);
        return { webhook };
      });
    }),
  eventDeliveryRetry: (_: unknown, { id }: { id: string }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_APPS']);
      const pk = pkOf('EventDelivery', id);
      const found = await mutate(ctx, (tx) => retryDelivery(tx, pk, ctx.shop.now()));
      if (!found) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
      return { delivery: await deliveryById(ctx.store, pk) };
    }),
};

type AttemptSource = DeliveryRow['attempts'][number] & { readonly id: string };

export const appTypes = {
  App: {
    ...idField('App'),
    ...metadataFields('App'),
    permissions: (app: AppRecord) => app.permissions.map(permissionItem),
    aboutApp: (app: AppRecord) => app.about,
    tokens: async (app: AppRecord, _: unknown, ctx: ShopContext) => {
      await requireOwner(ctx, app.pk);
      return app.tokens;
    },
    webhooks: async (app: AppRecord, _: unknown, ctx: ShopContext) => {
      await requireOwner(ctx, app.pk);
      return ctx.store.find('Webhook', 'app', app.pk);
    },
  },
  AppToken: {
    id: (token: { pk: string }) => toId('AppToken', token.pk),
    authToken: (token: { last4: string }) => token.last4,
  },
  AppInstallation: idField('AppInstallation'),
  Webhook: {
    ...idField('Webhook'),
    app: (webhook: WebhookRecord, _: unknown, ctx: ShopContext) => ctx.store.get('App', webhook.app),
    syncEvents: () => [],
    asyncEvents: (webhook: WebhookRecord) =>
      webhook.events.map((eventType) => ({ eventType, name: eventType.toLowerCase().replaceAll('_', ' ') })),
    subscriptionQuery: (webhook: WebhookRecord) => webhook.query,
    customHeaders: (webhook: WebhookRecord) => JSON.stringify(webhook.customHeaders),
    eventDeliveries: async (
      webhook: WebhookRecord,
      args: PageArgs & { filter?: { status?: string | null } | null },
      ctx: ShopContext,
    ) => {
      const rows = (await deliveriesOf(ctx.store, webhook.pk)).filter(
        (row) => !args.filter?.status || row.status === args.filter.status,
      );
      return pageOf('eventDeliveries', rows, { ...args, keyOf: (row) => row.id });
    },
  },
  EventDelivery: {
    id: (row: DeliveryRow) => toId('EventDelivery', row.id),
    createdAt: (row: DeliveryRow) => row.created_at.toISOString(),
    eventType: (row: DeliveryRow) => row.event_type,
    attempts: (row: DeliveryRow, args: PageArgs) => {
      const attempts = row.attempts.map((attempt, at): AttemptSource => ({
        ...attempt,
        id: toId('EventDeliveryAttempt', `${row.id}${String(at).padStart(2, '0')}`),
      }));
      return pageOf('attempts', attempts.reverse(), { ...args, keyOf: (attempt) => attempt.id });
    },
  },
  EventDeliveryAttempt: {
    createdAt: (attempt: AttemptSource) => attempt.at,
    duration: (attempt: AttemptSource) => attempt.seconds,
    responseStatusCode: (attempt: AttemptSource) => attempt.status,
    response: (attempt: AttemptSource) => attempt.response,
    status: (attempt: AttemptSource) =>
      attempt.status !== null && attempt.status >= 200 && attempt.status < 300 ? 'SUCCESS' : 'FAILED',
  },
};
