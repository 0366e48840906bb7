import { z } from 'zod';
import { askSaleor } from '../../saleor/ask-saleor.ts';
import { ask, askJson } from '../ask.ts';
import type { Check } from '../check.ts';
import * as operations from './operations.ts';
import type { SaleorPatient } from './patient.ts';
import { readKeys } from './server.ts';

const pluginId = 'mirumee.authentication.openidconnect';

/** The plugin that lets Saleor know the buyers whom the issuer signs in. */
export function signInChecks(patient: SaleorPatient): readonly Check[] {
  const { publicOrigin, deadlineMs } = patient;
  const userInfoUrl = `${publicOrigin}/oidc/userinfo`;
  return [
    {
      name: 'OpenID Connect',
      mend: 'Dashboard → Extensions → Installed → OpenID Connect (/extensions/plugin/mirumee.authentication.openidconnect), its fields as in docs/saleor.md, step 5',
      look: () => pluginIsSet(patient, userInfoUrl),
    },
    {
      name: 'issuer keys',
      mend: 'set json_web_key_set_url to the jwks_uri of <issuer>/.well-known/openid-configuration; Saleor must reach it too',
      look: () => issuerKeysAnswer(patient),
    },
    {
      name: 'userinfo',
      mend: 'PUBLIC_ORIGIN must lead to the router, from Saleor as well; nobody is known to Saleor without it',
      async look() {
        const answer = await ask(userInfoUrl, {}, deadlineMs);
        const text = await answer.text();
        if (answer.status !== 401 || !text.includes('"UNAUTHENTICATED"'))
          throw new Error(
            `${userInfoUrl} answers ${answer.status} to nobody; the router's answers 401 UNAUTHENTICATED`,
          );
        return `${userInfoUrl} refuses who brings no token`;
      },
    },
  ];
}

interface Plugin {
  readonly globalConfiguration: {
    readonly active: boolean;
    readonly configuration: readonly { readonly name: string; readonly value: string | null }[] | null;
  } | null;
}

async function settingsOf({
  access,
}: SaleorPatient): Promise<{ active: boolean; values: Map<string, string> }> {
  const { plugin } = await askSaleor<{ plugin: Plugin | null }>(access, operations.plugin, { id: pluginId });
  if (!plugin?.globalConfiguration) throw new Error(`this Saleor has no plugin ${pluginId}`);
  const { active, configuration } = plugin.globalConfiguration;
  return { active, values: new Map((configuration ?? []).map(({ name, value }) => [name, value ?? ''])) };
}

const why: Readonly<Record<string, string>> = {
  user_info_url: 'any other accepts tokens that were not meant for the store',
  audience: "scopes decide about staff only for the router's tokens",
  use_oauth_scope_permissions: 'every request would rewrite the account',
  staff_user_domains: 'a buyer of such a domain would become staff',
  enable_refresh_token: 'the store refreshes tokens at the issuer',
  oauth_authorization_url: 'the second way to sign in stays closed',
  oauth_token_url: 'the second way to sign in stays closed',
};
const flags = new Set(['use_oauth_scope_permissions', 'enable_refresh_token']);

async function pluginIsSet(patient: SaleorPatient, userInfoUrl: string): Promise<string> {
  const { active, values } = await settingsOf(patient);
  if (!active) throw new Error('the plugin is not active: every buyer is anonymous to Saleor');
  const wanted: Readonly<Record<string, string>> = {
    user_info_url: userInfoUrl,
    audience: patient.audience,
    use_oauth_scope_permissions: 'true',
    staff_user_domains: '',
    enable_refresh_token: 'false',
    oauth_authorization_url: '',
    oauth_token_url: '',
  };
  const faults = Object.entries(wanted).flatMap(([name, right]) => {
    const value = values.get(name) ?? '';
    const is = flags.has(name) ? value.toLowerCase() || 'false' : value.trim();
    return is === right
      ? []
      : [
          `${name} is ${is ? `“${is}”` : 'empty'} and must be ${right ? `“${right}”` : 'empty'} (${why[name]})`,
        ];
  });
  if (!values.get('json_web_key_set_url')) faults.push('json_web_key_set_url is empty');
  if (faults.length) throw new Error(faults.join('; '));
  return `${pluginId} is active, for ${patient.audience}`;
}

const discoverySchema = z.object({ jwks_uri: z.url() });

async function issuerKeysAnswer(patient: SaleorPatient): Promise<string> {
  const { issuer, deadlineMs } = patient;
  const url = (await settingsOf(patient)).values.get('json_web_key_set_url');
  if (!url) throw new Error('json_web_key_set_url is empty');
  if (issuer) {
    const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const read = discoverySchema.safeParse(await askJson(discovery, {}, deadlineMs));
    if (!read.success) throw new Error(`${discovery} names no jwks_uri`);
    if (read.data.jwks_uri !== url)
      throw new Error(`json_web_key_set_url is ${url}, and the issuer's is ${read.data.jwks_uri}`);
  }
  const { keys } = readKeys(url, await askJson(url, {}, deadlineMs));
  if (!keys.length) throw new Error(`${url} has no key`);
  return `${url}, ${keys.length} keys`;
}
