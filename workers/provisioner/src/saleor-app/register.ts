import { createAppRegisterHandler, type WebApiHandler } from '@saleor/app-sdk/handlers/fetch-api';
import { UnavailableError } from '@agentstore/kernel/http/client';
import type { Room } from '../deps.ts';
import { appIdentifier } from '../orders/shop-client.ts';

/** What the manifest calls the app; the shop knows the app by it. */
export const appManifestId = 'agentstore.provisioner';

/**
 * The app SDK's registration, which proves the token by asking the shop whose it is. Before it the same is asked with a deadline, and that the token is
 * of this app: another app's token would be kept, and its deliveries taken for ours.
 */
export function registerHandler(room: Room): WebApiHandler {
  return createAppRegisterHandler({
    apl: room.apl,
    allowedSaleorUrls: [...room.allowedSaleorApiUrls],
    async onRequestStart(_request, { authToken, saleorApiUrl, respondWithError }) {
      if (!authToken || !saleorApiUrl || !room.allowedSaleorApiUrls.includes(saleorApiUrl)) return; // refused by the SDK
      const identifier = await appIdentifier({ saleorApiUrl, token: authToken }).catch((error: unknown) => {
        room.log.warn({ err: error, shop: saleorApiUrl }, 'registration refused');
        throw error instanceof UnavailableError
          ? respondWithError({ status: 503, message: 'The shop does not answer.' })
          : respondWithError({ status: 401, message: 'The shop does not know this token.' });
      });
      if (identifier === undefined)
        throw respondWithError({ status: 401, message: 'The token is of no app.' });
      if (identifier !== appManifestId)
        throw respondWithError({ status: 403, message: 'The token is of another app.' });
    },
  });
}
