import { decodeJwt } from 'jose';
import { z } from 'zod';
import { composeSupergraph } from '@agentstore/schema/compose-supergraph';
import { fetchSaleorSdl, ownSubgraphs, saleorName } from '@agentstore/schema/subgraphs';
import { askSaleor, SaleorError } from '../../saleor/ask-saleor.ts';
import { askJson } from '../ask.ts';
import type { Check } from '../check.ts';
import * as operations from './operations.ts';
import type { SaleorPatient } from './patient.ts';

/** What the other checks ask for, and what each is needed to see. */
const neededPermissions: Readonly<Record<string, string>> = {
  MANAGE_APPS: 'the app, its webhooks and their deliveries',
  MANAGE_PLUGINS: 'the OpenID Connect plugin',
  MANAGE_ORDERS: "the channel's order settings",
  MANAGE_PRODUCTS: 'stock and private metadata of variants',
};

/** The one that all others stand on. */
export const reachCheck = ({ access }: SaleorPatient): Check => ({
  name: 'GraphQL',
  mend: "give Saleor's GraphQL URL (it ends in /graphql/), and see that Saleor runs and this machine reaches it",
  async look() {
    const { shop } = await askSaleor<{ shop?: { name: string } }>({ ...access, token: '' }, operations.reach);
    if (!shop) throw new Error(`${access.url} answers, and not as Saleor does`);
    return `${access.url}, “${shop.name}”`;
  },
});

/** The server itself: who we are to it, its version, schema, address and keys. */
export function serverChecks(patient: SaleorPatient): readonly Check[] {
  const { access, deadlineMs } = patient;
  const { origin } = new URL(access.url);
  return [
    {
      name: 'token',
      mend: `use a token of a superuser, or of staff or an app with ${Object.keys(neededPermissions).join(', ')} (Dashboard: Configuration → Permission groups, or Extensions → Installed → the app → Permissions); a user's token lives 5 minutes`,
      look: () => tokenIsEnough(patient),
    },
    {
      name: 'version',
      mend: 'run Saleor 3.22; another one may answer other things than the store was tried with',
      async look() {
        const { shop } = await askSaleor<{ shop: { version: string } }>(access, operations.shop);
        if (!shop.version.startsWith('3.22.')) throw new Error(`it is ${shop.version}, and 3.22 is needed`);
        return shop.version;
      },
    },
    {
      name: 'public URL',
      mend: `set PUBLIC_URL=${origin} for Saleor and its worker, and restart both; the same URL goes into SALEOR_API_URL and ALLOWED_SALEOR_API_URLS`,
      look: () => publicUrlIsOurs(patient, origin),
    },
    {
      name: 'signing keys',
      mend: `let ${origin}/.well-known/jwks.json reach Saleor (one origin for it and /graphql/), and give Saleor its own RSA_PRIVATE_KEY`,
      async look() {
        const url = `${origin}/.well-known/jwks.json`;
        const { keys } = readKeys(url, await askJson(url, {}, deadlineMs));
        const rs256 = keys.filter(
          ({ kty, alg, kid, n }) => kty === 'RSA' && (alg ?? 'RS256') === 'RS256' && kid && n,
        );
        if (!rs256.length) throw new Error(`${url} has no RS256 key: no webhook could be verified`);
        return `${url}, ${rs256.length} RS256`;
      },
    },
    {
      name: 'schema',
      mend: 'npm run schema:pull, then npm run schema:compose tells both sides of a clash; the router keeps the last good supergraph meanwhile',
      async look() {
        const sdl = await fetchSaleorSdl(access.url, deadlineMs);
        composeSupergraph([...ownSubgraphs(), { name: saleorName, sdl }]);
        return `${sdl.split('\n').length} lines, composes with ours`;
      },
    },
  ];
}

const keySetSchema = z.object({
  keys: z.array(
    z.object({
      kty: z.string(),
      alg: z.string().optional(),
      kid: z.string().optional(),
      n: z.string().optional(),
    }),
  ),
});

/** A key set, or a sentence that says it is none. */
export function readKeys(url: string, value: unknown): z.infer<typeof keySetSchema> {
  const read = keySetSchema.safeParse(value);
  if (!read.success) throw new Error(`${url} answers no key set`);
  return read.data;
}

interface Codes {
  readonly code: string;
}

async function tokenIsEnough({ access }: SaleorPatient): Promise<string> {
  interface Requestor {
    readonly me: { readonly email: string; readonly userPermissions: readonly Codes[] | null } | null;
    readonly app: { readonly name: string; readonly permissions: readonly Codes[] | null } | null;
  }
  let who: Requestor;
  try {
    who = await askSaleor<Requestor>(access, operations.requestor);
  } catch (error) {
    if (error instanceof SaleorError && error.codes.includes('PermissionDenied'))
      throw new Error('it is of neither staff nor an app: unknown, expired, or of a customer', {
        cause: error,
      });
    throw error;
  }
  const held = new Set((who.app?.permissions ?? who.me?.userPermissions ?? []).map(({ code }) => code));
  const missing = Object.entries(neededPermissions).filter(([code]) => !held.has(code));
  const name = who.app ? `app “${who.app.name}”` : (who.me?.email ?? 'nobody');
  if (missing.length)
    throw new Error(`${name} lacks ${missing.map(([code, to]) => `${code} (to see ${to})`).join(', ')}`);
  return name;
}

/** Saleor signs, addresses webhooks and issues tokens as what it believes to be called; a user token's `iss` is its own word for it. */
async function publicUrlIsOurs({ access }: SaleorPatient, origin: string): Promise<string> {
  const { shop } = await askSaleor<{ shop: { domain: { url: string } } }>(access, operations.shop);
  const called = issuerOf(access.token) ?? new URL('graphql/', shop.domain.url).href;
  if (new URL(shop.domain.url).origin !== origin)
    throw new Error(`Saleor calls itself ${shop.domain.url}, and is asked at ${origin}`);
  if (called !== access.url)
    throw new Error(`Saleor calls its API ${called}, and is asked at ${access.url}: use that very spelling`);
  return called;
}

function issuerOf(token: string): string | undefined {
  try {
    const { iss, owner } = decodeJwt(token);
    return owner === 'saleor' ? iss : undefined;
  } catch {
    return undefined; // an app's token is no JWT
  }
}
