import { readDescription } from '../../dev/state/description.ts';
import { askSaleor, type SaleorAccess } from '../../saleor/ask-saleor.ts';
import { config } from '../../saleor/config.ts';
import * as operations from './operations.ts';
import type { SaleorPatient } from './patient.ts';

const deadlineMs = 10_000;

/** What the command line says of a Saleor. */
export interface SaleorArguments {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly publicOrigin?: string | undefined;
  readonly manifestUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly channel?: string | undefined;
}

/**
 * The Saleor that the command line names, else the shop of the store that runs in this state directory, as its admin. Throws a sentence that says what is
 * missing.
 */
export async function choosePatient(given: SaleorArguments, stateDir: string): Promise<SaleorPatient> {
  if (given.url !== undefined) return named(given, given.url);
  const store = readDescription(stateDir);
  if (!store)
    throw new Error(
      `No store was started in ${stateDir}: npm start, or --state DIR, or --url and --token of a Saleor.`,
    );
  const { urls, shop, oidc } = store;
  const { url: _, ...rest } = given;
  const publicOrigin = originOf(rest.publicOrigin ?? urls.origin, '--public-origin');
  return {
    access: await signedIn({ url: urls.shop, token: '', deadlineMs }, given.token, shop.admin),
    publicOrigin,
    manifestUrl: rest.manifestUrl ?? `${urls.provisioner}/api/manifest`,
    issuer: rest.issuer ?? oidc.issuer,
    audience: rest.audience ?? oidc.audience,
    channel: rest.channel ?? shop.channel,
    deadlineMs,
  };
}

function named(given: SaleorArguments, text: string): SaleorPatient {
  const url = URL.parse(text)?.href;
  if (!url) throw new Error(`--url is no URL: ${text}`);
  const token = given.token ?? config.read().SALEOR_TOKEN;
  if (!token) throw new Error('Give --token, or SALEOR_TOKEN in the environment.');
  if (!given.publicOrigin)
    throw new Error('Give --public-origin, under which clients reach the router: half of the checks ask it.');
  const publicOrigin = originOf(given.publicOrigin, '--public-origin');
  return {
    access: { url, token, deadlineMs },
    publicOrigin,
    manifestUrl: given.manifestUrl,
    issuer: given.issuer,
    audience: given.audience ?? `${publicOrigin}/graphql`,
    channel: given.channel ?? 'default-channel',
    deadlineMs,
  };
}

function originOf(text: string, option: string): string {
  const origin = URL.parse(text)?.origin;
  if (!origin || origin === 'null') throw new Error(`${option} is no origin: ${text}`);
  return origin;
}

/** A shop that cannot be asked now is for the first check to say. */
async function signedIn(
  access: SaleorAccess,
  token: string | undefined,
  admin: { readonly email: string; readonly password: string },
): Promise<SaleorAccess> {
  if (token) return { ...access, token };
  const answer = await askSaleor<{ tokenCreate: { token: string | null } }>(
    access,
    operations.signIn,
    admin,
  ).catch(() => undefined);
  return { ...access, token: answer?.tokenCreate.token ?? '' };
}
