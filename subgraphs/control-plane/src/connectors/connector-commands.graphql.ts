import { refusalType } from '@agentstore/kernel/graphql/refusals';
import type { ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { bindConnector } from './bind-connector.ts';
import { revokeBinding, rotateBinding } from './change-binding.ts';
import { ConnectorBindingType, ConnectorType, ToolRiskEnum } from './connector.graphql.ts';
import type { Binding, BindingRefusal, Connector, ImportNote } from './connector.ts';
import { importConnector } from './import-connector.ts';
import { secretFields } from './secret-fields.ts';

const ConnectorError = refusalType(builder, 'Connector', {
  ORGANIZATION_NOT_FOUND: 'No such organization, or the caller does not belong there.',
  SLUG_TAKEN: 'The store has a connector of this slug.',
  DOCUMENT_REFUSED: 'The document cannot be read, is too large, or refers to something outside of it.',
  AUTH_UNSUPPORTED: 'The document authenticates in a way that is not supported, or that would be logged.',
  NOTHING_TO_IMPORT: 'Nothing in the document can be a tool.',
  INVALID_DEFINITION: 'What was read makes no connector within bounds.',
  INVALID_INPUT: 'A value of the input is not usable.',
});
const ConnectorBindingError = refusalType(builder, 'ConnectorBinding', {
  PROJECT_NOT_FOUND: 'No such project, or the caller does not belong there.',
  CONNECTOR_NOT_FOUND: 'No such connector, or it is not for this organization.',
  BINDING_NOT_FOUND: 'No such binding, or the caller does not belong there.',
  BINDING_REVOKED: 'The binding is ended for good.',
  SECRET_FIELDS_MISMATCH: "The secret does not have exactly the connector's fields.",
  INVALID_SECRET: 'A field of the secret is empty, too long or not printable.',
  VERSION_CONFLICT: 'The secret was replaced since it was read, or is being replaced now.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before for something else.',
  SECRET_STORE_UNAVAILABLE: 'The secret store cannot be reached now; the same command can be repeated.',
  INVALID_INPUT: 'A value of the input is not usable.',
});

const ImportNoteType = builder.objectRef<ImportNote>('ConnectorImportNote').implement({
  description: 'What was not taken over as it stands in the document.',
  fields: (t) => ({
    source: t.exposeString('source', {
      description: 'Where it stands, e.g. GET /orders/{id}, or the name of the tool.',
    }),
    imported: t.exposeBoolean('imported', { description: 'Whether there is a tool all the same.' }),
    message: t.exposeString('message', { description: 'What, in a sentence.' }),
  }),
});
interface ImportPayload {
  readonly connector: Connector | null;
  readonly notes: readonly ImportNote[];
  readonly errors: readonly Refusal[];
}
const ConnectorImportPayload = builder.objectRef<ImportPayload>('ConnectorImportPayload').implement({
  description: 'What became of an import.',
  fields: (t) => ({
    connector: t.expose('connector', { type: ConnectorType, nullable: true, description: 'The connector.' }),
    notes: t.field({
      type: [ImportNoteType],
      description: 'What was not taken over as it stands.',
      resolve: ({ notes }) => [...notes],
    }),
    errors: t.field({
      type: [ConnectorError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const ConnectorAuthTypeEnum = builder.enumType('ConnectorAuthType', {
  description: 'How the secret goes to the upstream.',
  values: {
    NONE: { description: 'There is none.' },
    BEARER: { description: 'As a bearer token; its field is token.' },
    HEADER: { description: 'In a header; its field is apiKey.' },
    BASIC: { description: 'As user and password; its fields are username and password.' },
  } as const,
});
const ConnectorAuthInput = builder.inputType('ConnectorAuthInput', {
  description: 'How an MCP server is authenticated to.',
  fields: (t) => ({
    type: t.field({ type: ConnectorAuthTypeEnum, description: 'In which way.' }),
    header: t.string({ required: false, description: 'For HEADER: its name.' }),
    prefix: t.string({
      required: false,
      description: 'For HEADER: what comes before the secret; nothing unless said.',
    }),
  }),
});
const ToolRiskInput = builder.inputType('ToolRiskInput', {
  description: 'A risk that is known better than the document tells it.',
  fields: (t) => ({
    tool: t.string({ description: 'Name of the tool.' }),
    risk: t.field({ type: ToolRiskEnum, description: 'What calling it may do.' }),
  }),
});
const ConnectorImportInput = builder.inputType('ConnectorImportInput', {
  description: 'What to import: an OpenAPI document, or the tools of an MCP server.',
  fields: (t) => ({
    organizationId: t.id({ description: 'Whose connector.' }),
    slug: t.string({
      description: '1 to 32 lower-case letters, digits and minus signs; an existing one is changed.',
    }),
    name: t.string({ required: false, description: "For people; the document's title unless said." }),
    openapi: t.string({
      required: false,
      description:
        'An OpenAPI 3.0 or 3.1 document, JSON or YAML, at most 1 MiB, that refers to nothing outside of it.',
    }),
    mcpTools: t.field({
      type: 'JSON',
      required: false,
      description: 'What an MCP server answered to tools/list: an object with its tools.',
    }),
    url: t.string({
      required: false,
      description: "The endpoint of the MCP server; with openapi, in place of the document's first server.",
    }),
    auth: t.field({
      type: ConnectorAuthInput,
      required: false,
      description:
        'How the MCP server is authenticated to; not at all unless said. An OpenAPI document says it itself.',
    }),
    tools: t.stringList({
      required: false,
      description: 'Only these tools, by name; all unless said, at most 128.',
    }),
    risks: t.field({
      type: [ToolRiskInput],
      required: false,
      description: 'In place of what the document suggests: by method, or by the hints of the MCP server.',
    }),
  }),
});
builder.mutationField('connectorImport', (t) =>
  t.field({
    type: ConnectorImportPayload,
    description: 'Makes a connector of a document, or changes it. Needs connector:manage.',
    args: { input: t.arg({ type: ConnectorImportInput, description: 'What to import.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<ImportPayload> => {
      const outcome = await importConnector(deps, caller, {
        organizationId: fromGlobalId('Organization', input.organizationId),
        slug: input.slug,
        name: input.name ?? undefined,
        openapi: input.openapi ?? undefined,
        mcpTools: input.mcpTools ?? undefined,
        url: input.url ?? undefined,
        auth: authOf(input.auth ?? { type: 'NONE' }),
        tools: input.tools ?? undefined,
        risks: input.risks ?? [],
      });
      return outcome.ok
        ? { ...outcome.value, errors: [] }
        : { connector: null, notes: [], errors: [outcome.error] };
    },
  }),
);

function authOf(input: {
  readonly type: ConnectorDefinition['auth']['type'];
  readonly header?: string | null | undefined;
  readonly prefix?: string | null | undefined;
}): ConnectorDefinition['auth'] {
  switch (input.type) {
    case 'NONE':
      return { type: 'NONE' };
    case 'BEARER':
      return { type: 'BEARER', field: 'token' };
    case 'HEADER':
      return { type: 'HEADER', name: input.header ?? '', field: 'apiKey', prefix: input.prefix ?? '' };
    case 'BASIC':
      return { type: 'BASIC', usernameField: 'username', passwordField: 'password' };
  }
}

interface BindingPayload {
  readonly binding: Binding | null;
  readonly errors: readonly Refusal[];
}
const ConnectorBindingPayload = builder.objectRef<BindingPayload>('ConnectorBindingPayload').implement({
  description: 'What became of a command on a binding.',
  fields: (t) => ({
    connectorBinding: t.expose('binding', {
      type: ConnectorBindingType,
      nullable: true,
      description: 'The binding.',
    }),
    errors: t.field({
      type: [ConnectorBindingError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const payloadOf = (outcome: Outcome<Binding, BindingRefusal>): BindingPayload =>
  outcome.ok ? { binding: outcome.value, errors: [] } : { binding: null, errors: [outcome.error] };
const noSecret = () =>
  payloadOf(
    refused({
      code: 'INVALID_SECRET',
      message: 'The secret must be a list of name and value.',
      field: 'secret',
    }),
  );

/** JSON, which takes whatever is given: what does not fit is refused by us, without a word about what it was. */
const aboutSecrets =
  'A list of { name, value }, one for each of secretFields of the connector, each 1 to 8192 printable ASCII characters. It goes in and never comes out. Give it as a variable: the texts of documents are kept for the next time they are asked.';

const ConnectorBindInput = builder.inputType('ConnectorBindInput', {
  description: "A project's secret for a connector.",
  fields: (t) => ({
    projectId: t.id({ description: 'Where it is used.' }),
    connectorId: t.id({ description: 'For which connector.' }),
    name: t.string({ description: 'For people, at most 100 characters.' }),
    secret: t.field({ type: 'JSON', description: aboutSecrets }),
    idempotencyKey: t.string({
      description:
        'Chosen by the client, 1 to 200 printable ASCII characters; the same key makes one binding, and goes on with one whose secret could not be stored.',
    }),
  }),
});
builder.mutationField('connectorBind', (t) =>
  t.field({
    type: ConnectorBindingPayload,
    description:
      'Gives a secret for a connector to a project. The newest binding is the one that is used. Needs connector:manage.',
    args: { input: t.arg({ type: ConnectorBindInput, description: 'The binding.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const secret = secretFields.safeParse(input.secret);
      return secret.success
        ? payloadOf(
            await bindConnector(deps, caller, {
              projectId: fromGlobalId('Project', input.projectId),
              connector: { connectorId: fromGlobalId('Connector', input.connectorId) },
              name: input.name,
              secret: secret.data,
              idempotencyKey: input.idempotencyKey,
            }),
          )
        : noSecret();
    },
  }),
);

const ConnectorBindingRotateInput = builder.inputType('ConnectorBindingRotateInput', {
  description: 'Another secret for a binding.',
  fields: (t) => ({
    bindingId: t.id({ description: 'The binding.' }),
    secret: t.field({ type: 'JSON', description: aboutSecrets }),
    expectedVersion: t.int({ description: 'The secretVersion that it replaces; another one refuses it.' }),
  }),
});
builder.mutationField('connectorBindingRotate', (t) =>
  t.field({
    type: ConnectorBindingPayload,
    description: 'Replaces the secret of a binding, which is ACTIVE then. Needs connector:manage.',
    args: { input: t.arg({ type: ConnectorBindingRotateInput, description: 'The secret.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const secret = secretFields.safeParse(input.secret);
      return secret.success
        ? payloadOf(
            await rotateBinding(deps, caller, {
              bindingId: fromGlobalId('ConnectorBinding', input.bindingId),
              secret: secret.data,
              expectedVersion: input.expectedVersion,
            }),
          )
        : noSecret();
    },
  }),
);

const ConnectorBindingRevokeInput = builder.inputType('ConnectorBindingRevokeInput', {
  description: 'A binding to end.',
  fields: (t) => ({ bindingId: t.id({ description: 'The binding.' }) }),
});
builder.mutationField('connectorBindingRevoke', (t) =>
  t.field({
    type: ConnectorBindingPayload,
    description:
      'Ends a binding for good: no call uses it any more, and its secret is removed. Needs connector:manage.',
    args: { input: t.arg({ type: ConnectorBindingRevokeInput, description: 'Which.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(await revokeBinding(deps, caller, fromGlobalId('ConnectorBinding', input.bindingId))),
  }),
);
