import { beforeAll, expect, it } from 'vitest';
import { apiKeyScopes } from '@agentstore/kernel/permissions';
import { apiKeyCaller } from '@agentstore/kernel/testing/callers';
import { nowhere, startControlPlane, type ControlPlane, type Home } from '../testing/control-plane-app.ts';

let app: ControlPlane;
let home: Home;
beforeAll(async () => {
  app = await startControlPlane();
  home = await app.withWorkspace();
});

interface Created {
  key: string | null;
  apiKey: { id: string; prefix: string; scopes: string[] } | null;
  errors: { code: string; field: string | null }[];
}
const create = async (more: object = {}, person = home.person): Promise<Created> =>
  (
    await app.data<{ apiKeyCreate: Created }>(
      person,
      'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key apiKey { id prefix scopes } errors { code field } } }',
      { input: { organizationId: home.organization, name: 'ci', scopes: ['run:start'], ...more } },
    )
  ).apiKeyCreate;
const revoke = (id: string, person = home.person) =>
  app.graph(
    person,
    'mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { apiKey { revokedAt } errors { code } } }',
    { input: { id } },
  );
const verify = (key: string) =>
  app.service.call<{ organizationId: string; scopes: string[] }>('POST', '/internal/api-keys:verify', {
    key,
  });
const refused = { status: 401, code: 'API_KEY_INVALID' };

it('is shown once, kept as a hash, verified, noted as used, and revoked for good', async () => {
  const { key, apiKey } = await create();
  expect(key).toMatch(/^ask_[A-Za-z0-9_-]{43}$/);
  expect(key!.startsWith(apiKey!.prefix)).toBe(true);
  expect(await verify(key!)).toMatchObject({ organizationId: home.organizationId, scopes: ['run:start'] });
  const [row] = await app.rows<{ hash: string; last_used_at: Date | null }>(
    'select api_key.*, last_used_at from api_key where organization_id = $1',
    [home.organizationId],
  );
  expect(JSON.stringify(row)).not.toContain(key!.slice(8));
  expect(row!.last_used_at).toBeInstanceOf(Date);
  const listed = await app.data<{ organization: { apiKeys: object[] } }>(
    home.person,
    'query ($id: ID!) { organization(id: $id) { apiKeys { id lastUsedAt } } }',
    { id: home.organization },
  );
  expect(listed.organization.apiKeys).toEqual([{ id: apiKey!.id, lastUsedAt: expect.any(String) as string }]);
  const first = await revoke(apiKey!.id);
  expect(first.data).toMatchObject({ apiKeyRevoke: { apiKey: { revokedAt: expect.any(String) as string } } });
  expect(await revoke(apiKey!.id)).toEqual(first);
  await expect(verify(key!)).rejects.toMatchObject(refused);
});

it('ends by itself', async () => {
  const { key } = await create({ expiresInDays: 1 });
  await verify(key!);
  await app.rows("update api_key set expires_at = now() - interval '1 second' where expires_at is not null");
  await expect(verify(key!)).rejects.toMatchObject(refused);
  await expect(verify('ask_nothing')).rejects.toMatchObject(refused);
});

it.each<[string, object, string]>([
  ['a scope of services', { scopes: ['billing:settle'] }, 'INVALID_SCOPE'],
  ['a scope beyond a developer', { scopes: ['api-key:manage'] }, 'INVALID_SCOPE'],
  ['no scope at all', { scopes: [] }, 'INVALID_SCOPE'],
  ['no name', { name: '  ' }, 'INVALID_INPUT'],
  ['an end in the past', { expiresInDays: 0 }, 'INVALID_INPUT'],
  ['an organization of strangers', { organizationId: nowhere('Organization') }, 'ORGANIZATION_NOT_FOUND'],
])('with %s is refused', async (_name, more, code) =>
  expect(await create(more)).toMatchObject({ key: null, apiKey: null, errors: [{ code }] }),
);

it('may have every scope a developer has, each once', async () =>
  expect((await create({ scopes: [...apiKeyScopes, ...apiKeyScopes] })).apiKey!.scopes).toEqual([
    ...apiKeyScopes,
  ]));

it('is not for strangers, and not for those who may not manage keys', async () => {
  const { apiKey } = await create();
  const stranger = (await app.withWorkspace()).person;
  expect((await revoke(apiKey!.id, stranger)).data).toMatchObject({
    apiKeyRevoke: { errors: [{ code: 'API_KEY_NOT_FOUND' }] },
  });
  const viewer = await app.signIn();
  await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'VIEWER')", [
    home.organizationId,
    viewer.userId,
  ]);
  const looking = await app.signIn({ subject: viewer.subject, email: viewer.email });
  for (const caller of [looking, apiKeyCaller(home.organizationId, ...apiKeyScopes)])
    expect((await revoke(apiKey!.id, caller as typeof looking)).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
});
