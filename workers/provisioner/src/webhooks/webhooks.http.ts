import { createHash } from 'node:crypto';
import { createManifestHandler, SaleorAsyncWebhook } from '@saleor/app-sdk/handlers/fetch-api';
import { systemScope } from '@agentstore/kernel/access';
import { problemResponse, type Problem } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { markDue, markDueUnlessSettled, noteDelivery } from '../orders/orders.store.ts';
import { appManifestId, registerHandler } from '../saleor-app/register.ts';
import type { Verdict } from '../saleor-app/shop-keys.ts';
import { webhookDefinitions, type OrderDelivery } from './webhook-definitions.ts';

const maxBody = 1_048_576;

/** Faults that will never go away by sending again. Saleor retries 5xx only, so anything else is answered 503. */
const permanent: Readonly<Record<string, number>> = {
  MISSING_SIGNATURE_HEADER: 400,
  MISSING_API_URL_HEADER: 400,
  MISSING_EVENT_HEADER: 400,
  MISSING_REQUEST_BODY: 400,
  WRONG_EVENT: 400,
  WRONG_METHOD: 405,
  CANT_BE_PARSED: 400,
};

type Definition = (typeof webhookDefinitions)[number];

/** The faces that Saleor sees: manifest, registration and webhooks, by the app SDK's own handlers. */
export function saleorRoutes(app: ServiceApp, room: Room): void {
  const manifest = createManifestHandler({
    manifestFactory: () => ({
      id: appManifestId,
      name: 'Agent Store',
      version: '0.1.0',
      about: 'Turns paid orders into agent instances and credits.',
      author: 'Agent Store',
      permissions: ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'],
      appUrl: room.appBaseUrl,
      tokenTargetUrl: `${room.appBaseUrl}/api/register`,
      requiredSaleorVersion: '>=3.20 <4',
      webhooks: webhookDefinitions.map((definition) =>
        webhookOf(room, definition).getWebhookManifest(room.appBaseUrl),
      ),
    }),
  });
  const register = registerHandler(room);
  app.get('/api/manifest', (c) => manifest(c.req.raw));
  app.post('/api/register', (c) => register(c.req.raw));
  for (const definition of webhookDefinitions)
    app.post(definition.path, (c) => receive(room, definition, c.req.raw));
}

/** `verify` judges the signature; it never throws, else the SDK would fetch the keys once more, and without a deadline. */
function webhookOf(
  room: Room,
  definition: Definition,
  verify?: (jwks: string, signature: string, rawBody: string) => Promise<void>,
): SaleorAsyncWebhook<OrderDelivery> {
  return new SaleorAsyncWebhook<OrderDelivery>({
    name: definition.event.toLowerCase().replaceAll('_', '-'),
    webhookPath: definition.path.slice(1),
    event: definition.event,
    query: definition.query,
    apl: room.apl,
    ...(verify ? { verifySignatureFn: verify } : {}),
    onError: (error) => room.log.warn({ err: error, event: definition.event }, 'webhook refused'),
    formatErrorResponse: (error) => {
      const code = (error as { errorType?: string }).errorType ?? 'OTHER';
      const status = permanent[code] ?? 503;
      return Promise.resolve({
        code: status,
        body: JSON.stringify({
          status,
          code: status === 503 ? 'UNAVAILABLE' : code,
          title: 'The delivery was not accepted.',
        }),
      });
    },
  });
}

const refuse = (status: number, code: string, title: string): Response =>
  problemResponse({ status, code, title } satisfies Problem);

async function receive(room: Room, definition: Definition, request: Request): Promise<Response> {
  const shop = request.headers.get('saleor-api-url') ?? '';
  if (shop && !room.allowedSaleorApiUrls.includes(shop))
    return refuse(403, 'SHOP_NOT_ALLOWED', 'This shop is not known here.');
  const raw = Buffer.from(await request.clone().arrayBuffer());
  if (raw.length > maxBody)
    return refuse(413, 'BODY_TOO_LARGE', `The body may have at most ${maxBody} bytes.`);
  let verdict: Verdict = 'UNKNOWN';
  const webhook = webhookOf(room, definition, async (jwks, signature, body) => {
    verdict = await room.shopKeys
      .judge({ saleorApiUrl: shop, jwks, signature, body })
      .catch((error: unknown) => {
        room.log.warn({ err: error }, 'signature not judged');
        return 'UNKNOWN' as const;
      });
  });
  const handle = webhook.createHandler(async (_request, { payload, authData, event }) => {
    if (verdict === 'FORGED')
      return refuse(401, 'SIGNATURE_VERIFICATION_FAILED', "The signature is not the shop's.");
    if (verdict === 'UNKNOWN') return refuse(503, 'UNAVAILABLE', "The shop's keys cannot be had now.");
    if (payload.recipient?.id !== authData.appId)
      return refuse(403, 'WRONG_RECIPIENT', 'The delivery is for another app.');
    if (payload.errors?.length || !payload.order)
      return refuse(503, 'PAYLOAD_INCOMPLETE', 'The shop could not fill the payload.');
    const { saleorApiUrl } = authData;
    const { id: orderId, number: orderNumber } = payload.order;
    const sha256 = createHash('sha256').update(raw).digest('hex');
    await room.db.transaction(systemScope('webhook'), async (tx) => {
      const isNew = await noteDelivery(tx, { sha256, saleorApiUrl, event, orderId });
      if (isNew) await markDue(tx, { saleorApiUrl, orderId, orderNumber });
      else await markDueUnlessSettled(tx, { saleorApiUrl, orderId });
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
