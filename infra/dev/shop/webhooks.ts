import { execute, validate, type GraphQLSchema } from 'graphql';
import type { Requestor, Shop, ShopContext, ShopEvent } from './context.ts';
import { addDelivery } from './deliveries.store.ts';
import { formatErrors } from './graphql-errors.ts';
import { pythonJson } from './python-json.ts';
import type { AppRecord, WebhookRecord } from './records.ts';
import { saleorVersion } from './shop-info.ts';
import type { WritableStore } from './store.ts';
import { channelsOf, subscriptionEvents, typeNameOf } from './webhook-query.ts';

/** What the `Subscription` root resolves from. */
export interface EventSource {
  readonly __typename: string;
  readonly issuedAt: string;
  readonly version: string;
  readonly recipient: AppRecord;
  readonly issuingPrincipal: object | null;
  readonly orderPk: string;
}

/**
 * Queues one event: for every active webhook of an active app that holds MANAGE_ORDERS, the app's own query is run now, inside the
 * transaction, and its answer stored as the body to send. So the body shows the order at the time of the event, whenever it is sent.
 */
export async function emitEvent(
  deps: { shop: Shop; payloadSchema: () => GraphQLSchema },
  tx: WritableStore,
  event: ShopEvent,
): Promise<void> {
  const webhooks = (await tx.all('Webhook')).filter(
    (webhook) => webhook.isActive && webhook.events.includes(event.type),
  );
  for (const webhook of webhooks) {
    const app = await tx.get('App', webhook.app);
    if (!app?.isActive || !app.permissions.includes('MANAGE_ORDERS')) continue;
    const body = await bodyOf(deps, tx, { event, webhook, app });
    if (body !== undefined)
      await addDelivery(tx, {
        webhook: webhook.pk,
        eventType: event.type,
        payload: body,
        now: deps.shop.now(),
      });
  }
}

async function bodyOf(
  { shop, payloadSchema }: { shop: Shop; payloadSchema: () => GraphQLSchema },
  tx: WritableStore,
  about: { event: ShopEvent; webhook: WebhookRecord; app: AppRecord },
): Promise<string | undefined> {
  const query = subscriptionEvents(about.webhook.query);
  if (!query.ok || validate(payloadSchema(), query.document).length > 0) {
    shop.log.warn({ webhook: about.webhook.pk }, 'the query of a webhook does not fit the schema');
    return undefined;
  }
  const order = await tx.get('Order', about.event.order);
  const channel = order && (await tx.get('Channel', order.channel));
  const wanted = channelsOf(query.root);
  if (wanted.length && !wanted.includes(channel?.slug ?? '')) return undefined;
  const requestor: Requestor = { kind: 'app', app: about.app, permissions: new Set(about.app.permissions) };
  const context: ShopContext = { shop, store: tx, requestor: () => Promise.resolve(requestor) };
  const source: EventSource = {
    __typename: typeNameOf(about.event.type),
    issuedAt: shop.now().toISOString(),
    version: saleorVersion,
    recipient: about.app,
    issuingPrincipal: principal(about.event.issuedBy),
    orderPk: about.event.order,
  };
  const name = query.root.name.value;
  const answer = await execute({
    schema: payloadSchema(),
    document: query.document,
    rootValue: { [name]: source },
    contextValue: context,
  });
  const errors = answer.errors?.length ? { errors: formatErrors(answer.errors, shop.log) } : {};
  const data = answer.data?.[query.root.alias?.value ?? name] as object | null | undefined;
  if (name !== 'event') return pythonJson({ data: answer.data ?? null, ...errors });
  // `event` is unwrapped: the body is what stands inside it.
  if (!data || Object.keys(data).length === 0) return undefined;
  return pythonJson({ ...data, ...errors });
}

const principal = (requestor: Requestor): object | null =>
  requestor.kind === 'app'
    ? { __typename: 'App', ...requestor.app }
    : requestor.kind === 'user'
      ? { __typename: 'User', ...requestor.user }
      : null;

const eventFields = {
  order: (source: EventSource, _: unknown, ctx: ShopContext) => ctx.store.get('Order', source.orderPk),
};

export const eventTypes = {
  OrderCreated: eventFields,
  OrderUpdated: eventFields,
  OrderPaid: eventFields,
  OrderFullyPaid: eventFields,
  OrderRefunded: eventFields,
  OrderFullyRefunded: eventFields,
  OrderCancelled: eventFields,
};
