import { askSaleor, type SaleorAccess } from '../../saleor/ask-saleor.ts';
import { oidcPluginId } from './oidc-plugin.ts';

/** The issuer to trust. */
export interface OidcSettings {
  /** The issuer's public keys. */
  readonly jwksUrl: string;
  /** Our own endpoint, which says who a token belongs to and refuses what must not become a customer. */
  readonly userInfoUrl: string;
  /** `aud` of the tokens; with it scopes alone decide about staff, so that no request rewrites the account. */
  readonly audience: string;
}

const update = `mutation($id: ID!, $input: PluginUpdateInput!) { pluginUpdate(id: $id, input: $input) { plugin { id } errors { field message code } } }`;

/** Turns the OpenID Connect plugin on, in the arrangement that was tried on the real one. Needs MANAGE_PLUGINS. */
export async function setOidcPlugin(access: SaleorAccess, settings: OidcSettings): Promise<void> {
  const values = {
    client_id: 'agentstore',
    client_secret: 'unused',
    enable_refresh_token: 'false',
    oauth_authorization_url: '',
    oauth_token_url: '',
    json_web_key_set_url: settings.jwksUrl,
    user_info_url: settings.userInfoUrl,
    audience: settings.audience,
    use_oauth_scope_permissions: 'true',
    staff_user_domains: '',
    default_group_name_for_new_staff_users: '',
  };
  const configuration = Object.entries(values).map(([name, value]) => ({ name, value }));
  await askSaleor(access, update, { id: oidcPluginId, input: { active: true, configuration } });
}
