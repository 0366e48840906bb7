import { beforeAll, describe, expect, it } from 'vitest';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { connectorDefinition } from '@agentstore/kernel/connector-definition';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { ordersConnector, statusConnector } from '../testing/connectors.ts';
import {
  catalogue,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';

let app: ControlPlane;
let home: Home;
beforeAll(async () => {
  app = await startControlPlane();
  home = await app.withWorkspace();
});

const put = (definition: object) =>
  app.service.call<{ connectorId: Uuid; sha256: string }>('PUT', '/internal/connectors', definition);
const putCatalogue = (requiredConnectors: object[], more: object = {}) =>
  app.service.call('PUT', '/internal/catalogue', {
    ...catalogue,
    version: { ...catalogue.version, version: `1.0.0-${uuidv7()}`, requiredConnectors },
    ...more,
  });
interface Payload {
  connector: {
    id: string;
    slug: string;
    name: string;
    kind: string;
    secretFields: string[];
    tools: { id: string; risk: string }[];
  } | null;
  notes: { source: string; imported: boolean; message: string }[];
  errors: { code: string; field: string | null }[];
}
const importing = async (input: object, { person, organization }: Home = home): Promise<Payload> =>
  (
    await app.data<{ connectorImport: Payload }>(
      person,
      `mutation ($input: ConnectorImportInput!) { connectorImport(input: $input) {
        connector { id slug name kind secretFields tools { id risk } } notes { source imported message } errors { code field } } }`,
      { input: { organizationId: organization, ...input } },
    )
  ).connectorImport;
const mcp = (slug: string, more: object = {}) => ({
  slug,
  url: 'https://mcp.example.com/mcp',
  mcpTools: {
    tools: [
      { name: 'read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
      { name: 'drop', inputSchema: { type: 'object' }, annotations: { destructiveHint: true } },
      { name: 'send', inputSchema: { type: 'object' }, description: 'Sends.' },
    ],
  },
  ...more,
});
const bind = async (own: Home, connectorId: string, fields: string[]): Promise<string> =>
  (
    await app.data<{ connectorBind: { connectorBinding: { id: string } } }>(
      own.person,
      'mutation ($input: ConnectorBindInput!) { connectorBind(input: $input) { connectorBinding { id } errors { code } } }',
      {
        input: {
          projectId: own.project,
          connectorId,
          name: 'n',
          secret: fields.map((name) => ({ name, value: 'v' })),
          idempotencyKey: uuidv7(),
        },
      },
    )
  ).connectorBind.connectorBinding.id;
const generationOf = async (instance: string): Promise<number> =>
  (
    await app.rows<{ n: number }>('select desired_generation as n from instance where id = $1', [
      uuidOf('Instance', instance),
    ])
  )[0]!.n;
const rulesOf = async (instance: string) => {
  const { items } = await app.service.call<{
    items: {
      instanceId: Uuid;
      connectorRules: { tool: string; action: string; definition?: string; arguments?: object }[];
    }[];
  }>('POST', '/internal/gitops:claim', { writerId: uuidv7(), limit: 500, waitMs: 0 });
  return items.find(({ instanceId }) => instanceId === uuidOf('Instance', instance))!.connectorRules;
};

describe("a connector of the store's", () => {
  it('is addressed by the sha256 of its canonical JSON, is put again without effect, and keeps every state it had', async () => {
    const first = await put(ordersConnector);
    expect(first.sha256).toBe(hashOf(connectorDefinition.parse(ordersConnector)));
    expect(await put({ ...ordersConnector })).toEqual(first);
    const second = await put({ ...ordersConnector, name: 'Orders 2' });
    expect(second.connectorId).toBe(first.connectorId);
    const definition = (sha256: string) =>
      app.service.call('GET', `/internal/connector-definitions/${sha256}`);
    for (const [sha256, name] of [
      [first.sha256, 'Orders'],
      [second.sha256, 'Orders 2'],
    ] as const) {
      expect(await definition(sha256)).toMatchObject({ name });
      expect(hashOf(await definition(sha256))).toBe(sha256);
    }
    await expect(definition('0'.repeat(64))).rejects.toMatchObject({
      status: 404,
      code: 'CONNECTOR_DEFINITION_NOT_FOUND',
    });
    for (const change of [
      "update connector_definition set definition = '{}'",
      'delete from connector_definition',
    ])
      await expect(app.rows(change)).rejects.toThrow(/immutable/);
    await put(ordersConnector);
  });

  it('that is none is refused, in words', async () => {
    await expect(put({ ...ordersConnector, origin: 'https://{host}' })).rejects.toMatchObject({
      status: 400,
      code: 'INVALID_DEFINITION',
    });
    await expect(app.service.call('PUT', '/internal/connectors', [])).rejects.toMatchObject({ status: 400 });
  });

  it('that changes gives the instances that call it a new generation, and no other one', async () => {
    await put(statusConnector);
    const { connectorId } = await put(ordersConnector);
    await putCatalogue([
      {
        connector: 'orders',
        tools: ['find_order'],
        arguments: { find_order: { type: 'object', properties: { id: { maxLength: 9 } } } },
      },
    ]);
    const [bound, unbound, terminated] = [
      await app.withWorkspace(),
      await app.withWorkspace(),
      await app.withWorkspace(),
    ];
    const instances: string[] = [];
    for (const own of [bound, unbound, terminated])
      instances.push(await app.activate(own.person, own.project));
    for (const own of [bound, terminated]) await bind(own, toGlobalId('Connector', connectorId), ['apiKey']);
    await app.data(
      terminated.person,
      'mutation ($input: InstanceTerminateInput!) { instanceTerminate(input: $input) { errors { code } } }',
      { input: { instanceId: instances[2] } },
    );
    const generations = () => Promise.all(instances.map(generationOf));
    expect(await generations()).toEqual([2, 1, 3]);
    await put({ ...statusConnector, name: 'Another' });
    expect(await generations()).toEqual([2, 1, 3]);
    const { sha256 } = await put({ ...ordersConnector, name: 'Changed' });
    expect(await generations()).toEqual([3, 1, 3]);
    expect(await rulesOf(instances[0]!)).toMatchObject([
      {
        tool: 'orders__find_order',
        action: 'Allow',
        definition: sha256,
        arguments: { properties: { id: { maxLength: 9 } } },
      },
    ]);
    await put(ordersConnector);
  });

  it.each<[string, object, string[]]>([
    ['elsewhere', { origin: 'https://elsewhere.example.com' }, ['NEEDS_REAUTHORIZATION']],
    ['under another name', { auth: { type: 'BEARER', field: 'token' } }, ['NEEDS_REAUTHORIZATION']],
    ['as before', { name: 'Only another name', timeoutMs: 1_000 }, ['ACTIVE']],
  ])('that would send secrets %s leaves bindings that may', async (_name, change, states) => {
    const slug = `moves-${uuidv7().slice(-8)}`;
    const { connectorId } = await put({ ...ordersConnector, slug });
    const binding = await bind(home, toGlobalId('Connector', connectorId), ['apiKey']);
    await put({ ...ordersConnector, slug, ...change });
    expect(
      await app.rows('select state from connector_binding where id = $1', [
        uuidOf('ConnectorBinding', binding),
      ]),
    ).toEqual(states.map((state) => ({ state })));
  });
});

describe("an organization's connector", () => {
  it('comes out of the tools of an MCP server, with the risks that its hints suggest or that are known better', async () => {
    const made = await importing({
      ...mcp('mine'),
      auth: { type: 'BASIC' },
      risks: [{ tool: 'read', risk: 'WRITE' }],
      name: 'Mine',
    });
    expect(made).toMatchObject({
      errors: [],
      notes: [],
      connector: {
        slug: 'mine',
        name: 'Mine',
        kind: 'MCP',
        secretFields: ['username', 'password'],
        tools: [
          { id: 'mine__read', risk: 'WRITE' },
          { id: 'mine__drop', risk: 'DESTRUCTIVE' },
          { id: 'mine__send', risk: 'WRITE' },
        ],
      },
    });
    expect(await importing({ ...mcp('mine'), tools: ['send'] })).toMatchObject({
      connector: { id: made.connector!.id, secretFields: [], tools: [{ id: 'mine__send' }] },
    });
  });

  it('comes out of an OpenAPI document, and tells of what does not', async () => {
    const responses = { 200: { description: 'fine' } };
    const openapi = JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Pets', version: '1' },
      servers: [{ url: 'https://pets.example.com/api' }],
      security: [{ key: [] }],
      components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
      paths: {
        '/pets': {
          get: { operationId: 'listPets', responses },
          post: { responses },
          put: {
            operationId: 'lookahead',
            responses,
            parameters: [{ name: 'a', in: 'query', schema: { type: 'string', pattern: '(?=a)b' } }],
          },
          delete: {
            operationId: 'withKey',
            responses,
            parameters: [{ name: 'x-key', in: 'header', schema: { type: 'string' } }],
          },
        },
      },
    });
    expect(await importing({ slug: 'pets', openapi })).toMatchObject({
      errors: [],
      connector: {
        name: 'Pets',
        kind: 'REST',
        secretFields: ['apiKey'],
        tools: [{ id: 'pets__listPets', risk: 'READ' }],
      },
      notes: [
        { source: 'POST /pets', imported: false },
        { source: 'lookahead', imported: false },
        { source: 'withKey', imported: false },
      ],
    });
  });

  it.each<[string, object, string]>([
    ['a slug of the store', mcp('orders'), 'SLUG_TAKEN'],
    ['a slug with an underscore', mcp('a__b'), 'INVALID_INPUT'],
    ['neither document', { slug: 'x' }, 'INVALID_INPUT'],
    ['both documents', mcp('x', { openapi: '{}' }), 'INVALID_INPUT'],
    ['no endpoint', mcp('x', { url: undefined }), 'INVALID_INPUT'],
    ['a key in the endpoint', mcp('x', { url: 'https://mcp.example.com/mcp?key=1' }), 'INVALID_INPUT'],
    ['a command for an endpoint', mcp('x', { url: 'stdio:rm' }), 'INVALID_INPUT'],
    ['a tool that is not there', mcp('x', { tools: ['nothing'] }), 'INVALID_INPUT'],
    [
      'a risk of a tool that is not there',
      mcp('x', { risks: [{ tool: 'nothing', risk: 'READ' }] }),
      'INVALID_INPUT',
    ],
    ['a header that is none', mcp('x', { auth: { type: 'HEADER' } }), 'INVALID_DEFINITION'],
    ['no list', mcp('x', { mcpTools: [] }), 'DOCUMENT_REFUSED'],
    ['an empty list', mcp('x', { mcpTools: { tools: [] } }), 'NOTHING_TO_IMPORT'],
    [
      'no usable tool',
      mcp('x', { mcpTools: { tools: [{ name: 'a', inputSchema: {} }] } }),
      'NOTHING_TO_IMPORT',
    ],
    [
      'a tool that another one could be taken for',
      mcp('x', { mcpTools: { tools: [{ name: 'a.b', inputSchema: { type: 'object' } }] } }),
      'INVALID_DEFINITION',
    ],
    [
      'too many tools',
      mcp('x', {
        mcpTools: {
          tools: Array.from({ length: 129 }, (_, n) => ({ name: `t${n}`, inputSchema: { type: 'object' } })),
        },
      }),
      'INVALID_DEFINITION',
    ],
    ['no document', { slug: 'x', openapi: 'nothing' }, 'DOCUMENT_REFUSED'],
    [
      'an organization of strangers',
      mcp('x', { organizationId: nowhere('Organization') }),
      'ORGANIZATION_NOT_FOUND',
    ],
  ])('out of %s is refused', async (_name, input, code) => {
    if (code === 'SLUG_TAKEN') await put(ordersConnector);
    expect(await importing(input)).toMatchObject({ connector: null, errors: [{ code }] });
  });

  it('is nobody else’s: others neither see nor reach it, nor write to the store’s', async () => {
    const theirs = await app.withWorkspace();
    await importing(mcp('private-one'));
    const slugs = async ({ person, organization }: Home) =>
      (
        await app.data<{ connectors: { slug: string }[] }>(
          person,
          'query ($id: ID!) { connectors(organizationId: $id) { slug organization { id } } }',
          { id: organization },
        )
      ).connectors.map(({ slug }) => slug);
    expect(await slugs(home)).toEqual(expect.arrayContaining(['orders', 'private-one']));
    expect(await slugs(theirs)).toContain('orders');
    expect(await slugs(theirs)).not.toContain('private-one');
    const strange = await app.graph(
      theirs.person,
      'query ($id: ID!) { connectors(organizationId: $id) { slug } }',
      { id: home.organization },
    );
    expect(strange.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    // The second wall: a scope of one organization sees the store's connectors and cannot change or take them.
    const { organizationScope } = await import('@agentstore/kernel/access');
    const scope = organizationScope(theirs.person, theirs.organizationId, 'connector:manage')!;
    const write = (sql: string, values: unknown[] = []) =>
      app.database.transaction(scope, (tx) => tx.sql(sql, values as never));
    expect(await write('update connector set slug = slug returning id')).toEqual([]);
    expect(
      await write('update connector set organization_id = $1 where organization_id is null returning id', [
        theirs.organizationId,
      ]),
    ).toEqual([]);
    await expect(
      write(
        "insert into connector (id, slug, definition_sha256) select $1, 'mine-now', sha256 from connector_definition limit 1",
        [uuidv7()],
      ),
    ).rejects.toThrow(/row-level security/);
  });

  it('keeps its slug for the instances of its organization, whatever the store puts under it later', async () => {
    await importing({ ...mcp('clash'), tools: ['read'] });
    await putCatalogue([{ connector: 'clash', tools: ['read', 'find_order'] }]);
    const theirs = await app.withWorkspace();
    const [mine, other] = [
      await app.activate(home.person, home.project),
      await app.activate(theirs.person, theirs.project),
    ];
    const { sha256 } = await put({
      ...statusConnector,
      slug: 'clash',
      tools: [{ ...statusConnector.tools[0], name: 'read' }],
    });
    expect([await generationOf(mine), await generationOf(other)]).toEqual([1, 2]);
    expect((await rulesOf(other)).map((rule) => rule.definition)).toEqual([sha256]);
    expect((await rulesOf(mine)).map((rule) => rule.definition)).not.toContain(sha256);
  });
});

describe('what a version needs', () => {
  const find = { connector: 'orders', tools: ['find_order'] };
  it.each<[string, object[]]>([
    ['a connector twice', [find, find]],
    ['a tool twice', [{ ...find, tools: ['find_order', 'find_order'] }]],
    ['no tool', [{ ...find, tools: [] }]],
    ['a tool that is none', [{ ...find, tools: ['../x'] }]],
    ['arguments of another tool', [{ ...find, arguments: { other: { type: 'object' } } }]],
    ['arguments that are no schema', [{ ...find, arguments: { find_order: { type: 'colour' } } }]],
    [
      'too many tools',
      Array.from({ length: 3 }, (_, n) => ({
        connector: `c${n}`,
        tools: Array.from({ length: 100 }, (_, m) => `t${m}`),
      })),
    ],
    [
      'schemas without bottom',
      [
        {
          ...find,
          arguments: {
            find_order: JSON.parse(
              `${'{"type":"object","not":'.repeat(3_000)}{}${'}'.repeat(3_000)}`,
            ) as object,
          },
        },
      ],
    ],
  ])('is refused with %s', async (_name, required) => {
    await expect(putCatalogue(required)).rejects.toMatchObject({ status: 400 });
  });

  it('is part of what is immutable', async () => {
    const version = { ...catalogue.version, version: 'fixed', requiredConnectors: [find] };
    await app.service.call('PUT', '/internal/catalogue', { ...catalogue, version });
    await app.service.call('PUT', '/internal/catalogue', { ...catalogue, version });
    await expect(
      app.service.call('PUT', '/internal/catalogue', {
        ...catalogue,
        version: { ...version, requiredConnectors: [] },
      }),
    ).rejects.toMatchObject({ code: 'VERSION_IMMUTABLE' });
    await expect(
      app.rows("update offering_version set required_connectors = '[]' where version = 'fixed'"),
    ).rejects.toThrow(/immutable/);
  });

  it('may be of an offering that is tried and not sold, and then nothing of it is', async () => {
    const offering = { ...catalogue.offering, slug: 'order-desk', saleorProductId: null };
    const trial = catalogue.plans.filter(({ code }) => code === 'trial');
    await putCatalogue([find], { offering, plans: trial, creditPacks: [] });
    const read = await app.data<{ offering: { product: null; plans: object[]; currentVersion: object } }>(
      home.person,
      '{ offering(slug: "order-desk") { product { id } plans { code variant { id } } currentVersion { requiredConnectors { connector tools arguments } } } }',
    );
    expect(read.offering).toEqual({
      product: null,
      plans: [{ code: 'trial', variant: null }],
      currentVersion: { requiredConnectors: [{ connector: 'orders', tools: ['find_order'], arguments: {} }] },
    });
    await expect(putCatalogue([find], { offering })).rejects.toMatchObject({ status: 400 });
  });
});

describe('narrowing the tools of an instance', () => {
  const narrow = async (own: Home, input: object) =>
    (
      await app.data<{
        instanceToolRulesSet: {
          instance: { desiredGeneration: number; toolRules: object[] } | null;
          errors: { code: string }[];
        };
      }>(
        own.person,
        'mutation ($input: InstanceToolRulesSetInput!) { instanceToolRulesSet(input: $input) { instance { desiredGeneration toolRules { tool arguments } } errors { code } } }',
        { input },
      )
    ).instanceToolRulesSet;

  it('denies tools or asks more of their arguments, is a new generation, and the same again is none', async () => {
    await put(statusConnector);
    await putCatalogue([
      { connector: 'status', tools: ['service_status'], arguments: { service_status: { type: 'object' } } },
    ]);
    const own = await app.withWorkspace();
    const instanceId = await app.activate(own.person, own.project);
    const schema = { type: 'object', properties: { service: { const: 'shop' } } };
    const constrain = { instanceId, rules: [{ tool: 'status__service_status', arguments: schema }] };
    expect(await narrow(own, constrain)).toEqual({
      instance: { desiredGeneration: 2, toolRules: [{ tool: 'status__service_status', arguments: schema }] },
      errors: [],
    });
    expect(await narrow(own, constrain)).toMatchObject({ instance: { desiredGeneration: 2 } });
    expect(await rulesOf(instanceId)).toMatchObject([
      { action: 'Allow', arguments: { allOf: [{ type: 'object' }, schema] } },
    ]);
    await narrow(own, { instanceId, rules: [{ tool: 'status__service_status' }] });
    expect(await rulesOf(instanceId)).toEqual([{ tool: 'status__service_status', action: 'Deny' }]);
    expect(await narrow(own, { instanceId, rules: [], expectedGeneration: 2 })).toMatchObject({
      errors: [{ code: 'GENERATION_CONFLICT' }],
    });
    expect(await narrow(own, { instanceId, rules: [], expectedGeneration: 3 })).toMatchObject({
      instance: { toolRules: [] },
    });
    for (const [rules, code] of [
      [[{ tool: 'status__drop_all' }], 'TOOL_NOT_FOUND'],
      [[{ tool: 'status__service_status' }, { tool: 'status__service_status' }], 'INVALID_TOOL_RULE'],
      [[{ tool: 'status__service_status', arguments: { type: 'colour' } }], 'INVALID_TOOL_RULE'],
      [[{ tool: 'status__service_status', arguments: 'x' }], 'INVALID_TOOL_RULE'],
    ] as const)
      expect(await narrow(own, { instanceId, rules })).toMatchObject({ instance: null, errors: [{ code }] });
    expect(await narrow(home, { instanceId, rules: [] })).toMatchObject({
      errors: [{ code: 'INSTANCE_NOT_FOUND' }],
    });
  });
});
