import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { permissionItem, settingsOf } from './accounts.ts';
import { permissionDenied, refuse } from './errors.ts';
import { metadataFields } from './metadata.ts';
import { oidcPluginId } from './oidc-plugin.ts';
import { pageOf, type PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import { allPermissions } from './permissions.ts';
import type { PluginRecord } from './records.ts';

/** The release whose behaviour this shop has. */
export const saleorVersion = '3.22.67';

const secrets = new Set(['client_secret']);
const pluginDefaults: Readonly<Record<string, string>> = {
  client_id: '',
  client_secret: '',
  enable_refresh_token: 'true',
  oauth_authorization_url: '',
  oauth_token_url: '',
  json_web_key_set_url: '',
  oauth_logout_url: '',
  user_info_url: '',
  audience: '',
  use_oauth_scope_permissions: 'false',
  staff_user_domains: '',
  default_group_name_for_new_staff_users: '',
};
const booleans = new Set(['enable_refresh_token', 'use_oauth_scope_permissions']);

const pluginOf = async (ctx: ShopContext): Promise<PluginRecord> =>
  (await ctx.store.get('Plugin', oidcPluginId)) ?? {
    pk: oidcPluginId,
    active: false,
    configuration: pluginDefaults,
    metadata: {},
    privateMetadata: {},
    updatedAt: timestamp(ctx.shop),
  };

export const shopQueries = {
  shop: () => ({ pk: '1', metadata: {}, privateMetadata: {} }),
  plugin: async (_: unknown, { id }: { id: string }, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_PLUGINS']);
    return id === oidcPluginId ? pluginOf(ctx) : null;
  },
  plugins: async (_: unknown, args: PageArgs, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_PLUGINS']);
    return pageOf('plugins', [await pluginOf(ctx)], { ...args, keyOf: (plugin) => plugin.pk });
  },
};

interface PluginInput {
  active?: boolean | null;
  configuration?: { name: string; value?: string | null }[] | null;
}

export const shopMutations = {
  /** A configuration value of null keeps the old one; `""` empties it. */
  pluginUpdate: (_: unknown, { id, input }: { id: string; input: PluginInput }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_PLUGINS']);
      if (id !== oidcPluginId) throw refuse('id', 'NOT_FOUND', 'Plugin with given id does not exist.');
      const old = await pluginOf(ctx);
      const configuration = { ...old.configuration };
      for (const { name, value } of input.configuration ?? [])
        if (name in pluginDefaults && value != null)
          configuration[name] = booleans.has(name) ? String(value.toLowerCase() === 'true') : value;
      const active = input.active ?? old.active;
      if (active)
        for (const name of ['client_id', 'client_secret'])
          if (!configuration[name])
            throw refuse(name, 'PLUGIN_MISCONFIGURED', 'The field is required to enable the plugin.');
      const plugin: PluginRecord = { ...old, active, configuration, updatedAt: timestamp(ctx.shop) };
      await mutate(ctx, (tx) => tx.put('Plugin', plugin));
      return { plugin };
    }),
  shopSettingsUpdate: (
    _: unknown,
    { input }: { input: { enableAccountConfirmationByEmail?: boolean | null } },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_SETTINGS']);
      await mutate(ctx, async (tx) => {
        const old = await settingsOf(tx);
        await tx.put('Settings', {
          ...old,
          enableAccountConfirmationByEmail:
            input.enableAccountConfirmationByEmail ?? old.enableAccountConfirmationByEmail,
          updatedAt: timestamp(ctx.shop),
        });
      });
      return { shop: shopQueries.shop() };
    }),
};

async function staffOrApp(ctx: ShopContext): Promise<void> {
  const requestor = await ctx.requestor();
  if (requestor.kind === 'app' || (requestor.kind === 'user' && requestor.user.isStaff)) return;
  throw permissionDenied('AUTHENTICATED_STAFF_USER', 'AUTHENTICATED_APP');
}

export const shopTypes = {
  Shop: {
    ...metadataFields('Shop'),
    id: () => Buffer.from('Shop:1').toString('base64'),
    name: () => 'Agent Store dev shop',
    version: async (_: unknown, _args: unknown, ctx: ShopContext) => {
      await staffOrApp(ctx);
      return saleorVersion;
    },
    schemaVersion: () => saleorVersion.split('.').slice(0, 2).join('.'),
    domain: (_: unknown, _args: unknown, ctx: ShopContext) => ({
      host: new URL(ctx.shop.origin).host,
      sslEnabled: ctx.shop.origin.startsWith('https:'),
      url: `${ctx.shop.origin}/`,
    }),
    channelCurrencies: async (_: unknown, _args: unknown, ctx: ShopContext) => {
      await staffOrApp(ctx);
      return [...new Set((await ctx.store.all('Channel')).map((channel) => channel.currencyCode))];
    },
    permissions: async (_: unknown, _args: unknown, ctx: ShopContext) => {
      await staffOrApp(ctx);
      return allPermissions.map(permissionItem);
    },
    displayGrossPrices: () => true,
    availableExternalAuthentications: () => [],
    enableAccountConfirmationByEmail: async (_: unknown, _args: unknown, ctx: ShopContext) => {
      await requirePermission(ctx, ['MANAGE_SETTINGS']);
      return (await settingsOf(ctx.store)).enableAccountConfirmationByEmail;
    },
  },
  Plugin: {
    id: (plugin: PluginRecord) => plugin.pk,
    name: () => 'OpenID Connect',
    description: () => 'Trusts access tokens of an OpenID Connect issuer.',
    globalConfiguration: (plugin: PluginRecord) => ({
      active: plugin.active,
      channel: null,
      configuration: Object.entries({ ...pluginDefaults, ...plugin.configuration }).map(([name, value]) => ({
        name,
        // A secret reads back as its last four characters.
        value: secrets.has(name) ? value.slice(-4) : value,
        type: secrets.has(name) ? 'SECRET' : booleans.has(name) ? 'BOOLEAN' : 'STRING',
        helpText: null,
        label: name,
      })),
    }),
    channelConfigurations: () => [],
  },
};
