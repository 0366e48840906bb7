import { createHash } from 'node:crypto';
import {
  createAppRegisterHandler,
  createManifestHandler,
  SaleorAsyncWebhook,
} from '@saleor/app-sdk/handlers/fetch-api';
import { systemScope } from '@agentstore/kernel/access';
import { problemResponse, type Problem } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { markDue, noteDelivery } from '../orders/orders.store.ts';
import { webhookDefinitions, type OrderDelivery } from './webhook-definitions.ts';

const maxBody = 1_048_576;

/** Faults that will never go away by sending again. Saleor retries 5xx only, so anything else is answered 503. */
const permanent: Readonly<Record<string, number>> = {
  SIGNATURE_VERIFICATION_FAILED: 401,
  MISSING_SIGNATURE_HEADER: 400,
  MISSING_API_URL_HEADER: 400,
  MISSING_EVENT_HEADER: 400,
  MISSING_REQUEST_BODY: 400,
  WRONG_EVENT: 400,
  WRONG_METHOD: 405,
  CANT_BE_PARSED: 400,
};

/** The faces that Saleor sees: manifest, registration and webhooks, by the app SDK's own handlers. */
export function saleorRoutes(app: ServiceApp, room: Room): void {
  const webhooks = webhookDefinitions.map((definition) => ({
    definition,
    webhook: webhookOf(room, definition),
  }));
  const manifest = createManifestHandler({
    manifestFactory: () => ({
      id: 'agentstore.provisioner',
      name: 'Agent Store',
      version: '0.1.0',
      about: 'Turns paid orders into agent instances and credits.',
      author: 'Agent Store',
      permissions: ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'],
      appUrl: room.appBaseUrl,
      tokenTargetUrl: `${room.appBaseUrl}/api/register`,
      requiredSaleorVersion: '>=3.20 <4',
      webhooks: webhooks.map(({ webhook }) => webhook.getWebhookManifest(room.appBaseUrl)),
    }),
  });
  const register = createAppRegisterHandler({
    apl: room.apl,
    allowedSaleorUrls: [...room.allowedSaleorApiUrls],
  });
  app.get('/api/manifest', (c) => manifest(c.req.raw));
  app.post('/api/register', (c) => register(c.req.raw));
  for (const { definition, webhook } of webhooks)
    app.post(definition.path, (c) => receive(room, webhook, c.req.raw));
}

function webhookOf(
  room: Room,
  definition: (typeof webhookDefinitions)[number],
): SaleorAsyncWebhook<OrderDelivery> {
  return new SaleorAsyncWebhook<OrderDelivery>({
    name: definition.event.toLowerCase().replaceAll('_', '-'),
    webhookPath: definition.path.slice(1),
    event: definition.event,
    query: definition.query,
    apl: room.apl,
    onError: (error) => room.log.warn({ err: error, event: definition.event }, 'webhook refused'),
    formatErrorResponse: async (error, request) => {
      const code = (error as { errorType?: string }).errorType ?? 'OTHER';
      const shop = request.headers.get('saleor-api-url') ?? '';
      // The SDK says 401 also when it could not fetch the shop's keys, and Saleor would never send that event again.
      const status =
        code === 'SIGNATURE_VERIFICATION_FAILED' && !(await keysCanBeHad(room, shop))
          ? 503
          : (permanent[code] ?? 503);
      return {
        code: status,
        body: JSON.stringify({
          status,
          code: status === 503 ? 'UNAVAILABLE' : code,
          title: 'The delivery was not accepted.',
        }),
      };
    },
  });
}

async function receive(
  room: Room,
  webhook: SaleorAsyncWebhook<OrderDelivery>,
  request: Request,
): Promise<Response> {
  const refuse = (status: number, code: string, title: string): Response =>
    problemResponse({ status, code, title } satisfies Problem);
  const shop = request.headers.get('saleor-api-url') ?? '';
  if (shop && !room.allowedSaleorApiUrls.includes(shop))
    return refuse(403, 'SHOP_NOT_ALLOWED', 'This shop is not known here.');
  const raw = Buffer.from(await request.clone().arrayBuffer());
  if (raw.length > maxBody)
    return refuse(413, 'BODY_TOO_LARGE', `The body may have at most ${maxBody} bytes.`);
  const handle = webhook.createHandler(async (_request, { payload, authData, event }) => {
    if (payload.recipient?.id !== authData.appId)
      return refuse(403, 'WRONG_RECIPIENT', 'The delivery is for another app.');
    if (payload.errors?.length || !payload.order)
      return refuse(503, 'PAYLOAD_INCOMPLETE', 'The shop could not fill the payload.');
    const orderId = payload.order.id;
    await room.db.transaction(systemScope('webhook'), async (tx) => {
      await noteDelivery(tx, {
        sha256: createHash('sha256').update(raw).digest('hex'),
        saleorApiUrl: authData.saleorApiUrl,
        event,
        orderId,
      });
      await markDue(tx, { saleorApiUrl: authData.saleorApiUrl, orderId, orderNumber: payload.order!.number });
    });
    return new Response('', { status: 200 });
  });
  try {
    return await handle(request);
  } catch (error) {
    room.log.warn({ err: error }, 'delivery not stored');
    return refuse(503, 'UNAVAILABLE', 'The delivery cannot be stored now.');
  }
}

async function keysCanBeHad(room: Room, shop: string): Promise<boolean> {
  if (!room.allowedSaleorApiUrls.includes(shop)) return true; // not a shop of ours: its signature is simply wrong
  const url = new URL('/.well-known/jwks.json', shop);
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}
