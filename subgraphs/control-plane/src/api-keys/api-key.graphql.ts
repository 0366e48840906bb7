import { callerScope, organizationScope } from '@agentstore/kernel/access';
import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import type { Refusal } from '@agentstore/kernel/outcome';
import { apiKeyScopes, type Permission } from '@agentstore/kernel/permissions';
import { builder } from '../builder.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import { inOrganization, OrganizationRef } from '../organizations/organization.graphql.ts';
import { makeApiKey } from './api-key.ts';
import { apiKeyById, apiKeysOf, insertApiKey, revokeApiKey, type ApiKey } from './api-keys.store.ts';

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: "A program's way into an organization.",
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('ApiKey', id) }),
    name: t.exposeString('name', { description: 'For people.' }),
    prefix: t.exposeString('prefix', { description: 'The first characters, to tell keys apart.' }),
    scopes: t.stringList({ description: 'What it may do.', resolve: ({ scopes }) => [...scopes] }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked.',
    }),
  }),
});
builder.objectField(OrganizationRef, 'apiKeys', (t) =>
  t.field({
    type: [ApiKeyType],
    description: 'Its newest 100 API keys.',
    resolve: ({ id }, _args, { deps, caller }) => inOrganization(deps, caller, id, (tx) => apiKeysOf(tx, id)),
  }),
);

const ApiKeyError = refusalType(builder, 'ApiKey', {
  ORGANIZATION_NOT_FOUND: 'No such organization, or the caller does not belong there.',
  API_KEY_NOT_FOUND: 'No such key.',
  INVALID_SCOPE: 'A scope is unknown or not for API keys.',
  INVALID_INPUT: 'A value of the input is not usable.',
});
interface Payload {
  readonly apiKey: ApiKey | null;
  readonly key?: string | null;
  readonly errors: readonly Refusal[];
}
const ApiKeyCreatePayload = builder.objectRef<Payload>('ApiKeyCreatePayload').implement({
  description: 'A new API key.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', {
      type: ApiKeyType,
      nullable: true,
      description: 'The key without its secret.',
    }),
    key: t.string({
      nullable: true,
      description: 'The key itself: in this answer and nowhere else.',
      resolve: ({ key }) => key ?? null,
    }),
    errors: t.field({
      type: [ApiKeyError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const ApiKeyPayload = builder.objectRef<Payload>('ApiKeyPayload').implement({
  description: 'What became of a command on an API key.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, nullable: true, description: 'The key.' }),
    errors: t.field({
      type: [ApiKeyError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const refuse = (code: string, message: string, field: string): Payload => ({
  apiKey: null,
  errors: [{ code, message, field }],
});

const ApiKeyCreateInput = builder.inputType('ApiKeyCreateInput', {
  description: 'A key to make.',
  fields: (t) => ({
    organizationId: t.id({ description: 'For which organization.' }),
    name: t.string({ description: 'For people, at most 100 characters.' }),
    scopes: t.stringList({ description: 'What it may do, e.g. run:start.' }),
    expiresInDays: t.int({ required: false, description: 'Days until it ends; never unless said.' }),
  }),
});
builder.mutationField('apiKeyCreate', (t) =>
  t.field({
    type: ApiKeyCreatePayload,
    description: 'Makes an API key. Needs api-key:manage.',
    args: { input: t.arg({ type: ApiKeyCreateInput, description: 'The key.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const organizationId = fromGlobalId('Organization', input.organizationId);
      const scope = organizationId ? organizationScope(caller, organizationId, 'api-key:manage') : undefined;
      if (!scope || !organizationId)
        return refuse('ORGANIZATION_NOT_FOUND', 'There is no such organization.', 'organizationId');
      const unknown = input.scopes.find((word) => !(apiKeyScopes as readonly string[]).includes(word));
      if (unknown !== undefined || input.scopes.length === 0)
        return refuse(
          'INVALID_SCOPE',
          `${unknown ?? 'Nothing'} is not a scope for API keys; there are ${apiKeyScopes.join(', ')}.`,
          'scopes',
        );
      if (!input.name.trim() || input.name.length > 100)
        return refuse('INVALID_INPUT', 'The name must have 1 to 100 characters.', 'name');
      if (input.expiresInDays != null && (input.expiresInDays < 1 || input.expiresInDays > 3_650))
        return refuse('INVALID_INPUT', 'expiresInDays must be 1 to 3650.', 'expiresInDays');
      const made = makeApiKey();
      const expiresAt =
        input.expiresInDays == null ? null : new Date(Date.now() + input.expiresInDays * 86_400_000);
      const apiKey = await deps.db.transaction(scope, (tx) =>
        insertApiKey(tx, {
          organizationId,
          name: input.name.trim(),
          prefix: made.prefix,
          hash: made.hash,
          scopes: [...new Set(input.scopes as Permission[])],
          expiresAt,
        }),
      );
      return { apiKey, key: made.key, errors: [] };
    },
  }),
);
const ApiKeyRevokeInput = builder.inputType('ApiKeyRevokeInput', {
  description: 'A key to revoke.',
  fields: (t) => ({ id: t.id({ description: 'The key.' }) }),
});
builder.mutationField('apiKeyRevoke', (t) =>
  t.field({
    type: ApiKeyPayload,
    description: 'Ends an API key within 30 seconds everywhere. Needs api-key:manage.',
    args: { input: t.arg({ type: ApiKeyRevokeInput, description: 'The key.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const id = fromGlobalId('ApiKey', input.id);
      const apiKey = id
        ? await deps.db.transaction(callerScope(caller, 'api-key:manage'), (tx) => revokeApiKey(tx, id))
        : undefined;
      if (apiKey) return { apiKey, errors: [] };
      if (id)
        await forbidInsiders(deps.db, caller, {
          needs: 'api-key:manage',
          sees: 'organization:read',
          find: (tx) => apiKeyById(tx, id),
        });
      return refuse('API_KEY_NOT_FOUND', 'There is no such key.', 'id');
    },
  }),
);
