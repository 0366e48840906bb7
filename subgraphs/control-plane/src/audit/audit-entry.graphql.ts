import { GraphQLError } from 'graphql';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, isUuid, toGlobalId } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import { InstanceType, readInstance } from '../instances/instance.graphql.ts';
import {
  OrganizationRef,
  ProjectRef,
  readOrganization,
  readProject,
} from '../organizations/organization.graphql.ts';
import { RunRef } from '../references.graphql.ts';
import type { AuditEntry } from './audit-entry.ts';
import { readEntries, readEntry } from './read-audit.ts';

const ToolChannelEnum = builder.enumType('ToolChannel', {
  description: 'How a tool call came to the gateway.',
  values: {
    REST: { description: '`POST /v1/tools/{toolId}:invoke`.' },
    MCP: { description: 'The Model Context Protocol at `/mcp`.' },
  } as const,
});

const AuditDecisionEnum = builder.enumType('AuditDecision', {
  description: 'What the tool gateway decided about a call.',
  values: {
    ALLOWED: { description: 'The call was carried out, as far as its outcome says.' },
    DENIED: { description: 'The call was refused: no secret was read and nothing was called.' },
  } as const,
});

const AuditEntryType = builder.objectRef<AuditEntry>('AuditEntry').implement({
  description:
    'One decision of the tool gateway, and how the call ended if it was allowed. Entries are never changed; arguments and results are not in them.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ decision }) => toGlobalId('AuditEntry', decision.id) }),
    at: t.field({
      type: 'DateTime',
      description: 'When it was decided.',
      resolve: ({ decision }) => decision.at,
    }),
    organization: t.field({
      type: OrganizationRef,
      nullable: true,
      description: 'Whose run called; null for an operator from outside it.',
      resolve: ({ decision }, _args, { deps, caller }) =>
        readOrganization(deps, caller, decision.organizationId),
    }),
    project: t.field({
      type: ProjectRef,
      nullable: true,
      description: 'Of the instance; null for an operator from outside it.',
      resolve: ({ decision }, _args, { deps, caller }) => readProject(deps, caller, decision.projectId),
    }),
    instance: t.field({
      type: InstanceType,
      nullable: true,
      description: 'Whose applied ConnectorPolicy decided; null for a caller who may not see it.',
      resolve: ({ decision }, _args, { deps, caller }) => readInstance(deps, caller, decision.instanceId),
    }),
    run: t.field({
      type: RunRef,
      description: 'The run that called.',
      resolve: ({ decision }) => ({ id: toGlobalId('Run', decision.runId) }),
    }),
    actor: t.string({
      description: 'Who called: `run-token:` and the id (`jti`) of the token that the run held.',
      resolve: ({ decision }) => `run-token:${decision.tokenId}`,
    }),
    client: t.string({
      nullable: true,
      description: 'Name and version of the calling program, as it says.',
      resolve: ({ decision }) => decision.client,
    }),
    channel: t.field({
      type: ToolChannelEnum,
      description: 'How the call came.',
      resolve: ({ decision }) => decision.channel,
    }),
    toolId: t.string({
      description: 'The tool, by its name at the gateway, as it was asked for.',
      resolve: ({ decision }) => decision.toolId,
    }),
    definition: t.string({
      nullable: true,
      description: 'sha256 of the connector definition that the policy pins.',
      resolve: ({ decision }) => decision.definition,
    }),
    bindingId: t.id({
      nullable: true,
      description: 'The connector binding whose secret was to be used; null without one.',
      resolve: ({ decision }) => decision.bindingId && toGlobalId('ConnectorBinding', decision.bindingId),
    }),
    decision: t.field({
      type: AuditDecisionEnum,
      description: 'Whether it was allowed.',
      resolve: ({ decision }) => decision.decision,
    }),
    code: t.string({
      description: 'The stable code of the decision: of a refusal its own, else ALLOWED_BY_POLICY.',
      resolve: ({ decision }) => decision.reason,
    }),
    outcome: t.string({
      nullable: true,
      description:
        'How an allowed call ended: OK, TOOL_ERROR, or the code of what went wrong. Null for a refusal and until the end is written.',
      resolve: ({ completion }) => completion?.outcome ?? null,
    }),
    reason: t.string({
      description: 'A sentence for people: why it was refused, or how it ended.',
      resolve: ({ meaning }) => meaning,
    }),
    policyVersion: t.string({
      nullable: true,
      description: 'The applied ConnectorPolicy that decided: instance, `@` and generation.',
      resolve: ({ decision }) => decision.policyVersion,
    }),
    policyCommit: t.string({
      nullable: true,
      description: 'The commit it was applied from.',
      resolve: ({ decision }) => decision.policyCommit,
    }),
    argumentNames: t.stringList({
      description: 'Names of the arguments, without their values.',
      resolve: ({ decision }) => [...decision.argumentNames],
    }),
    argumentsHash: t.string({
      nullable: true,
      description: 'sha256 of the canonical JSON of the arguments.',
      resolve: ({ decision }) => decision.argumentsHash,
    }),
    idempotent: t.boolean({
      description: 'Whether the call carried an idempotency key.',
      resolve: ({ decision }) => decision.idempotencyKeyHash !== null,
    }),
    claimedTenantMismatch: t.boolean({
      description:
        'Whether the call claimed another organization or project than its token; that changed nothing.',
      resolve: ({ decision }) => decision.claimedTenantMismatch,
    }),
    traceId: t.string({
      nullable: true,
      description: 'The trace of the call (W3C trace context).',
      resolve: ({ decision }) => decision.traceId,
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an allowed call ended.',
      resolve: ({ completion }) => completion?.at ?? null,
    }),
    destination: t.string({
      nullable: true,
      description: 'Origin of the upstream that was called.',
      resolve: ({ completion }) => completion?.destination?.origin ?? null,
    }),
    destinationAddress: t.string({
      nullable: true,
      description: 'The IP address that was checked and dialled.',
      resolve: ({ completion }) => completion?.destination?.address ?? null,
    }),
    method: t.string({
      nullable: true,
      description: 'HTTP method of the upstream call.',
      resolve: ({ completion }) => completion?.method ?? null,
    }),
    upstreamStatus: t.int({
      nullable: true,
      description: 'HTTP status that the upstream answered.',
      resolve: ({ completion }) => completion?.upstreamStatus ?? null,
    }),
    attempts: t.int({
      nullable: true,
      description: 'How often the upstream was called.',
      resolve: ({ completion }) => completion?.attempts ?? null,
    }),
    bytesOut: t.int({
      nullable: true,
      description: 'Bytes that were sent to the upstream.',
      resolve: ({ completion }) => completion?.bytesOut ?? null,
    }),
    bytesIn: t.int({
      nullable: true,
      description: 'Bytes that the upstream answered, after decompression.',
      resolve: ({ completion }) => completion?.bytesIn ?? null,
    }),
    latencyMs: t.int({
      nullable: true,
      description: 'Milliseconds from the decision to the end.',
      resolve: ({ completion }) => completion && Math.round(completion.latencyMs),
    }),
    secretMs: t.int({
      nullable: true,
      description: 'Milliseconds of these for reading the secret.',
      resolve: ({ completion }) => completion && Math.round(completion.secretMs),
    }),
    secretVersion: t.int({
      nullable: true,
      description: 'Version of the secret that was used; null when none was.',
      resolve: ({ completion }) => completion?.secretVersion ?? null,
    }),
    redactions: t.stringList({
      description: 'Where the upstream sent the secret back, e.g. `body:base64`; it was masked there.',
      resolve: ({ completion }) => [...(completion?.redactions ?? [])],
    }),
  }),
});

builder.queryField('auditEntry', (t) =>
  t.field({
    type: AuditEntryType,
    nullable: true,
    description:
      'One decision of the tool gateway. Needs the permission audit:read; null for an entry of an organization that the caller does not belong to. Operators may read all.',
    args: { id: t.arg.id({ description: 'Its id, or the audit id (UUID) as a refusal carries it.' }) },
    resolve: async (_root, { id }, { deps, caller }) => {
      const entryId = isUuid(id) ? id : fromGlobalId('AuditEntry', id);
      return (entryId && (await readEntry(deps.tools, caller, entryId))) || null;
    },
  }),
);

const AuditFilterInput = builder.inputType('AuditFilter', {
  description: 'Which audit entries; what is left out is any.',
  fields: (t) => ({
    runId: t.id({ required: false, description: 'Of this run only.' }),
    decision: t.field({ type: AuditDecisionEnum, required: false, description: 'With this decision only.' }),
    toolId: t.string({ required: false, description: 'Of this tool only, by its name at the gateway.' }),
  }),
});

const AuditEntryConnection = connection('AuditEntry', AuditEntryType);
builder.objectField(OrganizationRef, 'auditEntries', (t) =>
  t.field({
    type: AuditEntryConnection,
    description:
      "Decisions of the tool gateway about its runs' calls, newest first. Needs the permission audit:read.",
    args: {
      first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      filter: t.arg({ type: AuditFilterInput, required: false, description: 'Which of them.' }),
    },
    resolve: async ({ id }, args, { deps, caller }) => {
      const page = pageRequest(args);
      const runId = args.filter?.runId == null ? undefined : fromGlobalId('Run', args.filter.runId);
      if (args.filter?.runId != null && !runId) throw noSuchRun();
      const entries = await readEntries(deps.tools, caller, {
        organizationId: id,
        first: page.first + 1,
        after: page.afterKey,
        ...(runId ? { runId } : {}),
        ...(args.filter?.toolId ? { toolId: args.filter.toolId } : {}),
        ...(args.filter?.decision ? { decision: args.filter.decision } : {}),
      });
      return pageOf(entries ?? [], page, ({ decision }) => decision.id);
    },
  }),
);

const noSuchRun = (): GraphQLError =>
  new GraphQLError('filter.runId is not the id of a run.', { extensions: { code: 'BAD_USER_INPUT' } });
