import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { refused, type Refusal } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { activateInstance } from './activate-instance.ts';
import { changeInstance } from './change-instance.ts';
import { InstanceType } from './instance.graphql.ts';
import type { Instance } from './instance.ts';

const InstanceError = refusalType(builder, 'Instance', {
  INSTANCE_NOT_FOUND: 'No such instance, or the caller does not belong there.',
  PROJECT_NOT_FOUND: 'No such project, or the caller does not belong there.',
  OFFERING_NOT_FOUND: 'No such offering, or it has no trial plan.',
  INVALID_TRANSITION: 'The instance is TERMINATED or on its way there.',
  GENERATION_CONFLICT: 'Somebody changed the instance since it was read.',
  INVALID_CONFIG: 'The configuration does not fit the schema of the version.',
  TOOL_NOT_FOUND: 'The version of the instance needs no such tool.',
  INVALID_BRANDING: 'A member of the branding is not usable.',
  INVALID_DOMAIN: 'A domain that should be allowed is no site of one owner.',
  INVALID_TOOL_RULE: 'A rule is no JSON Schema of arguments within bounds, or a tool has two.',
  INVALID_IDENTITY_KEY: 'A key is no public JWK of a kind that is taken, or there are more than two.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before for something else.',
  INVALID_INPUT: 'A value of the input is not usable.',
});
interface Payload {
  readonly instance: Instance | null;
  readonly errors: readonly Refusal[];
}
export const InstancePayload = builder.objectRef<Payload>('InstancePayload').implement({
  description: 'What became of a command on an instance.',
  fields: (t) => ({
    instance: t.expose('instance', { type: InstanceType, nullable: true, description: 'The instance.' }),
    errors: t.field({
      type: [InstanceError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const payloadOf = (outcome: { ok: true; value: Instance } | { ok: false; error: Refusal }): Payload =>
  outcome.ok ? { instance: outcome.value, errors: [] } : { instance: null, errors: [outcome.error] };

const InstanceAutoActivateInput = builder.inputType('InstanceAutoActivateInput', {
  description: 'What to try.',
  fields: (t) => ({
    projectId: t.id({ description: 'Where it goes.' }),
    offeringSlug: t.string({
      required: false,
      description: 'Which offering: its current version. Either this or offeringVersionId.',
    }),
    offeringVersionId: t.id({ required: false, description: 'Which published version of an offering.' }),
    idempotencyKey: t.string({
      description:
        'Chosen by the client, 1 to 200 printable ASCII characters; the same key makes one instance.',
    }),
  }),
});
builder.mutationField('instanceAutoActivate', (t) =>
  t.field({
    type: InstancePayload,
    description: 'Makes an instance of an offering under its trial plan at once. Needs instance:create.',
    args: { input: t.arg({ type: InstanceAutoActivateInput, description: 'What to try.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        await activateInstance(deps, caller, {
          projectId: fromGlobalId('Project', input.projectId),
          offeringSlug: input.offeringSlug ?? undefined,
          offeringVersionId: input.offeringVersionId
            ? fromGlobalId('OfferingVersion', input.offeringVersionId)
            : undefined,
          idempotencyKey: input.idempotencyKey,
        }),
      ),
  }),
);

for (const command of ['pause', 'resume', 'terminate'] as const) {
  const name = `instance${command[0]!.toUpperCase()}${command.slice(1)}`;
  const does = {
    pause: 'Keeps the instance but refuses runs.',
    resume: 'Lets a paused instance run again.',
    terminate: 'Ends the instance for good.',
  }[command];
  const input = builder.inputType(`${name[0]!.toUpperCase()}${name.slice(1)}Input`, {
    description: `Which instance to ${command}.`,
    fields: (t) => ({ instanceId: t.id({ description: 'The instance.' }) }),
  });
  builder.mutationField(name, (t) =>
    t.field({
      type: InstancePayload,
      description: `${does} Needs instance:${command === 'terminate' ? 'terminate' : 'pause'}.`,
      args: { input: t.arg({ type: input, description: 'Which instance.' }) },
      resolve: async (_root, args, { deps, caller }) =>
        payloadOf(
          await changeInstance(deps, caller, {
            instanceId: fromGlobalId('Instance', args.input.instanceId),
            command: { kind: command },
          }),
        ),
    }),
  );
}

const InstanceConfigureInput = builder.inputType('InstanceConfigureInput', {
  description: 'Settings to change.',
  fields: (t) => ({
    instanceId: t.id({ description: 'The instance.' }),
    config: t.field({ type: 'JSON', description: 'Members to set, by the schema of the version.' }),
    expectedGeneration: t.int({
      required: false,
      description: 'The generation the change was made on; another one refuses it.',
    }),
  }),
});
builder.mutationField('instanceConfigure', (t) =>
  t.field({
    type: InstancePayload,
    description: 'Changes settings of an instance: a new generation. Needs instance:configure.',
    args: { input: t.arg({ type: InstanceConfigureInput, description: 'The change.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      if (!isObject(input.config))
        return {
          instance: null,
          errors: [{ code: 'INVALID_CONFIG', message: 'config must be an object.', field: 'config' }],
        };
      return payloadOf(
        await changeInstance(deps, caller, {
          instanceId: fromGlobalId('Instance', input.instanceId),
          command: { kind: 'configure', config: input.config },
          expectedGeneration: input.expectedGeneration,
        }),
      );
    },
  }),
);

const ToolRuleInput = builder.inputType('ToolRuleInput', {
  description: 'How one tool is narrowed.',
  fields: (t) => ({
    tool: t.string({ description: 'Its id, as in Tool.id.' }),
    arguments: t.field({
      type: 'JSON',
      required: false,
      description:
        'JSON Schema (2020-12) that its arguments have to satisfy besides its own; left out, the tool is denied.',
    }),
  }),
});
const InstanceToolRulesSetInput = builder.inputType('InstanceToolRulesSetInput', {
  description: 'How the tools of an instance are narrowed.',
  fields: (t) => ({
    instanceId: t.id({ description: 'The instance.' }),
    rules: t.field({
      type: [ToolRuleInput],
      description: 'All rules; tools without one are as the version says.',
    }),
    expectedGeneration: t.int({
      required: false,
      description: 'The generation the rules were made on; another one refuses them.',
    }),
  }),
});
builder.mutationField('instanceToolRulesSet', (t) =>
  t.field({
    type: InstancePayload,
    description:
      'Narrows what an instance may call, in place of the rules before: a new generation. It can never be more than its version says. Needs connector:manage.',
    args: { input: t.arg({ type: InstanceToolRulesSetInput, description: 'The rules.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const unusable = input.rules.find(({ arguments: schema }) => schema != null && !isObject(schema));
      if (unusable)
        return payloadOf(
          refused({ code: 'INVALID_TOOL_RULE', message: 'arguments must be an object.', field: 'rules' }),
        );
      return payloadOf(
        await changeInstance(deps, caller, {
          instanceId: fromGlobalId('Instance', input.instanceId),
          command: {
            kind: 'narrow-tools',
            toolRules: input.rules.map(({ tool, arguments: schema }) =>
              schema == null ? { tool } : { tool, arguments: schema as Record<string, unknown> },
            ),
          },
          expectedGeneration: input.expectedGeneration,
        }),
      );
    },
  }),
);
