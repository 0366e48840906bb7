import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { toolIdOf, type ConnectorTool } from '@agentstore/kernel/connector-definition';
import type { Tx } from '@agentstore/kernel/db/database';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import { fromGlobalId, toGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { InstanceType } from '../instances/instance.graphql.ts';
import { OfferingVersionType } from '../offerings/offering.graphql.ts';
import { inOrganization, OrganizationRef, ProjectRef } from '../organizations/organization.graphql.ts';
import { organizationById, projectsById } from '../organizations/organizations.store.ts';
import { bindingsById, bindingsOfInstances, bindingsOfProjects } from './bindings.store.ts';
import type { Binding, Connector, RequiredConnector, ToolRule } from './connector.ts';
import { connectorsById, connectorsOf } from './connectors.store.ts';

const readScope = (caller: Caller) => callerScope(caller, 'instance:read');
const byId =
  <Row extends { readonly id: Uuid }>(read: (tx: Tx, ids: readonly Uuid[]) => Promise<Row[]>) =>
  async (tx: Tx, ids: readonly Uuid[]): Promise<ReadonlyMap<Uuid, Row>> =>
    new Map((await read(tx, ids)).map((row) => [row.id, row]));
const loadConnector = turnLoader(readScope, byId(connectorsById));
const loadBinding = turnLoader(readScope, byId(bindingsById));
const loadProject = turnLoader(readScope, byId(projectsById));
const loadOfProject = turnLoader(readScope, bindingsOfProjects);
const loadOfInstance = turnLoader(readScope, bindingsOfInstances);

const ConnectorKindEnum = builder.enumType('ConnectorKind', {
  description: 'How a connector is called.',
  values: {
    REST: { description: 'An HTTP API, one request per call.' },
    MCP: { description: 'A server of the Model Context Protocol.' },
    RAG: { description: "The store's own knowledge bases." },
  } as const,
});
export const ToolRiskEnum = builder.enumType('ToolRisk', {
  description: 'What calling a tool may do.',
  values: {
    READ: { description: 'It reads.' },
    WRITE: { description: 'It makes or changes something.' },
    DESTRUCTIVE: { description: 'It takes something away.' },
  } as const,
});
const BindingStateEnum = builder.enumType('BindingState', {
  description: 'Where a binding stands.',
  values: {
    PENDING: { description: 'Begun; its secret is not stored yet.' },
    ACTIVE: { description: 'Its secret is stored, and is used.' },
    NEEDS_REAUTHORIZATION: {
      description: 'The upstream does not take its secret, or it would go elsewhere now: give it anew.',
    },
    REVOKED: { description: 'Ended for good.' },
  } as const,
});

const ToolType = builder.objectRef<ConnectorTool & { readonly connector: string }>('Tool').implement({
  description: 'Something a flow can call through the tool gateway.',
  fields: (t) => ({
    id: t.id({
      description: 'Its name at the tool gateway, e.g. orders__find_order.',
      resolve: ({ connector, name }) => toolIdOf(connector, name),
    }),
    title: t.exposeString('title', { description: 'For people.' }),
    description: t.exposeString('description', {
      description: 'What it does, in the words of its connector.',
    }),
    inputSchema: t.expose('inputSchema', {
      type: 'JSON',
      description: 'JSON Schema (2020-12) of its arguments.',
    }),
    risk: t.expose('risk', { type: ToolRiskEnum, description: 'What calling it may do.' }),
  }),
});
const toolsOf = ({ slug, definition }: Connector) =>
  definition.tools.map((tool) => ({ ...tool, connector: slug }));

export const ConnectorType = builder.objectRef<Connector>('Connector').implement({
  description: "A way to tools: the store's own, or one organization's.",
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Connector', id) }),
    slug: t.exposeString('slug', { description: 'Its stable name; tools and versions are known by it.' }),
    name: t.string({ description: 'For people.', resolve: ({ definition }) => definition.name }),
    kind: t.field({
      type: ConnectorKindEnum,
      description: 'How it is called.',
      resolve: ({ definition }) => definition.kind,
    }),
    organization: t.field({
      type: OrganizationRef,
      nullable: true,
      description: "Whose; null for the store's own.",
      resolve: ({ organizationId }, _args, { deps, caller }) =>
        organizationId
          ? inOrganization(
              deps,
              caller,
              organizationId,
              async (tx) => (await organizationById(tx, organizationId))!,
            )
          : null,
    }),
    secretFields: t.stringList({
      description: 'Fields of the secret that binding it takes; empty when it needs none.',
      resolve: ({ secretFields }) => [...secretFields],
    }),
    sha256: t.exposeString('sha256', { description: 'Of its definition as it is now; policies pin it.' }),
    tools: t.field({ type: [ToolType], description: 'Its tools.', resolve: toolsOf }),
  }),
});
builder.asEntity(ConnectorType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, context) => {
    const connectorId = fromGlobalId('Connector', id);
    return connectorId ? ((await loadConnector(context, connectorId)) ?? null) : null;
  },
});

export const ConnectorBindingType = builder.objectRef<Binding>('ConnectorBinding').implement({
  description: 'That a project gave its secret for a connector. The secret itself is nowhere in the graph.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('ConnectorBinding', id) }),
    project: t.field({
      type: ProjectRef,
      description: 'Where it is used.',
      resolve: async ({ projectId }, _args, context) => (await loadProject(context, projectId))!,
    }),
    connector: t.field({
      type: ConnectorType,
      description: 'For which connector.',
      resolve: async ({ connectorId }, _args, context) => (await loadConnector(context, connectorId))!,
    }),
    name: t.exposeString('name', { description: 'For people.' }),
    state: t.expose('state', { type: BindingStateEnum, description: 'Where it stands.' }),
    secretVersion: t.int({
      nullable: true,
      description: 'Counts the secrets that were stored; null before the first.',
      resolve: ({ secretVersion }) => secretVersion || null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a tool was last called with it; told about once a minute.',
    }),
    rotatedAt: t.expose('rotatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its secret was last replaced.',
    }),
    tools: t.field({
      type: [ToolType],
      description: 'Tools of its connector, which it opens to versions that need them.',
      resolve: async ({ connectorId }, _args, context) =>
        toolsOf((await loadConnector(context, connectorId))!),
    }),
  }),
});
builder.asEntity(ConnectorBindingType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, context) => {
    const bindingId = fromGlobalId('ConnectorBinding', id);
    return bindingId ? ((await loadBinding(context, bindingId)) ?? null) : null;
  },
});

builder.objectField(ProjectRef, 'connectorBindings', (t) =>
  t.field({
    type: [ConnectorBindingType],
    description: 'Its newest 100 bindings, revoked ones too. Needs instance:read.',
    resolve: async ({ id }, _args, context) => (await loadOfProject(context, id)) ?? [],
  }),
);
builder.objectField(InstanceType, 'connectorBindings', (t) =>
  t.field({
    type: [ConnectorBindingType],
    description:
      'Bindings that its tools use: of each connector that its version needs, the newest of its project.',
    resolve: async ({ id }, _args, context) => (await loadOfInstance(context, id)) ?? [],
  }),
);
const ToolRuleType = builder.objectRef<ToolRule>('ToolRule').implement({
  description: 'How an instance narrows one tool.',
  fields: (t) => ({
    tool: t.exposeString('tool', { description: 'Its id.' }),
    arguments: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'JSON Schema (2020-12) that its arguments have to satisfy besides its own; null when it is denied.',
      resolve: (rule) => rule.arguments ?? null,
    }),
  }),
});
builder.objectField(InstanceType, 'toolRules', (t) =>
  t.field({
    type: [ToolRuleType],
    description: 'How its tools are narrowed.',
    resolve: ({ toolRules }) => [...toolRules],
  }),
);

const ConnectorRequirementType = builder.objectRef<RequiredConnector>('ConnectorRequirement').implement({
  description: 'Tools of one connector that a flow calls.',
  fields: (t) => ({
    connector: t.exposeString('connector', { description: 'Slug of the connector.' }),
    tools: t.stringList({ description: 'Names of its tools.', resolve: ({ tools }) => [...tools] }),
    arguments: t.expose('arguments', {
      type: 'JSON',
      description: 'By tool: JSON Schema (2020-12) that its arguments have to satisfy besides its own.',
    }),
  }),
});
builder.objectField(OfferingVersionType, 'requiredConnectors', (t) =>
  t.field({
    type: [ConnectorRequirementType],
    description:
      'Tools that its flow calls. An instance can call those that its project gave the secrets for.',
    resolve: ({ requiredConnectors }) => [...requiredConnectors],
  }),
);

builder.queryField('connectors', (t) =>
  t.field({
    type: [ConnectorType],
    description: "Connectors that an organization can bind: the store's and its own, by slug.",
    args: { organizationId: t.arg.id({ description: 'Which organization.' }) },
    resolve: (_root, args, { deps, caller }) => {
      const organizationId = fromGlobalId('Organization', args.organizationId) ?? '';
      return inOrganization(deps, caller, organizationId, (tx) => connectorsOf(tx, organizationId));
    },
  }),
);
