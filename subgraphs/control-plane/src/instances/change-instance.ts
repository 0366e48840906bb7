import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Permission } from '@agentstore/kernel/permissions';
import { requiredTools, type RequiredConnector, type ToolRule } from '../connectors/connector.ts';
import { toolSchemaFault } from '../connectors/definition-faults.ts';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import { configFault } from '../offerings/config-schema.ts';
import { versionById } from '../offerings/offerings.store.ts';
import { effectiveConfig } from './effective-config.ts';
import { decideChange, type Instance, type InstanceRefusal } from './instance.ts';
import {
  addEvent,
  instanceById,
  lockInstance,
  queueForGit,
  runFactsOf,
  writeDesired,
} from './instances.store.ts';

type Command = Parameters<typeof decideChange>[1];

const permissionFor: Readonly<Record<Command['kind'], Permission>> = {
  pause: 'instance:pause',
  resume: 'instance:pause',
  terminate: 'instance:terminate',
  configure: 'instance:configure',
  'narrow-tools': 'connector:manage',
};

/**
 * Changes what an instance should be: a new generation, its timeline entry and its place in line for Git in one transaction. Asking for what is
 * already so changes nothing. `expectedGeneration` refuses a change made on an older view.
 */
export async function changeInstance(
  { db }: Room,
  caller: Caller,
  input: { instanceId: Uuid | undefined; command: Command; expectedGeneration?: number | null | undefined },
): Promise<Outcome<Instance, InstanceRefusal>> {
  const { instanceId } = input;
  const needs = permissionFor[input.command.kind];
  const outcome = await db.transaction(
    callerScope(caller, needs),
    async (tx): Promise<Outcome<Instance, InstanceRefusal>> => {
      const instance = instanceId && (await lockInstance(tx, instanceId));
      if (!instance)
        return refused({
          code: 'INSTANCE_NOT_FOUND',
          message: 'There is no such instance.',
          field: 'instanceId',
        });
      if (input.expectedGeneration != null && input.expectedGeneration !== instance.desiredGeneration)
        return refused({
          code: 'GENERATION_CONFLICT',
          message: `The instance is at generation ${instance.desiredGeneration}.`,
          field: 'expectedGeneration',
        });
      if (input.command.kind === 'configure') {
        const fault = await settingsFault(tx, instance, input.command.config);
        if (fault) return refused({ code: 'INVALID_CONFIG', message: fault, field: 'config' });
      }
      if (input.command.kind === 'narrow-tools') {
        const version = await versionById(tx, instance.offeringVersionId);
        const fault = toolRulesFault(version!.requiredConnectors, input.command.toolRules);
        if (fault) return refused(fault);
      }
      const decision = decideChange(instance, input.command);
      if (!decision.ok) return decision;
      if (!decision.value) return done(instance);
      const changed = await writeDesired(tx, instance, decision.value);
      await addEvent(tx, changed, {
        kind: decision.value.kind,
        generation: changed.desiredGeneration,
        message: `by ${tx.scope.actor}`,
      });
      await queueForGit(tx, changed);
      return done(changed);
    },
  );
  if (instanceId && !outcome.ok && outcome.error.code === 'INSTANCE_NOT_FOUND')
    await forbidInsiders(db, caller, {
      needs,
      sees: 'instance:read',
      find: (tx) => instanceById(tx, instanceId),
    });
  return outcome;
}

/** Most characters of the schemas by which an instance narrows its tools, together: they stand in its policy. */
const mostToolRuleCharacters = 65_536;

/** What is wrong with rules for the tools of a version. They can only narrow: each is asked besides what the version and the tool itself say. */
function toolRulesFault(
  required: readonly RequiredConnector[],
  rules: readonly ToolRule[],
): InstanceRefusal | undefined {
  const invalid = (message: string): InstanceRefusal => ({
    code: 'INVALID_TOOL_RULE',
    message,
    field: 'rules',
  });
  const known = new Set(requiredTools(required));
  if (new Set(rules.map(({ tool }) => tool)).size < rules.length) return invalid('A tool has two rules.');
  for (const rule of rules) {
    if (!known.has(rule.tool))
      return {
        code: 'TOOL_NOT_FOUND',
        message: 'The version of the instance has no such tool.',
        field: 'rules',
      };
    const fault = rule.arguments && toolSchemaFault(rule.arguments);
    if (fault) return invalid(`${rule.tool}: ${fault}.`);
  }
  if (JSON.stringify(rules).length > mostToolRuleCharacters)
    return invalid(`The rules are longer than ${mostToolRuleCharacters} characters.`);
  return undefined;
}

/** What is wrong with an instance's settings after a change, by the schema of its version. */
async function settingsFault(
  tx: Tx,
  instance: Instance,
  change: Instance['config'],
): Promise<string | undefined> {
  const version = await versionById(tx, instance.offeringVersionId);
  const facts = await runFactsOf(tx, instance.id);
  const own = { ...instance.config, ...change };
  const effective = effectiveConfig(facts!.versionConfig, facts!.planConfig, own);
  return configFault(version!.configSchema, { own, effective });
}
