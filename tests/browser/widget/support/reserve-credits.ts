import { fromGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import type { OwnedAgent, Stage } from './stage.ts';

/** Reserves nearly all that the agent's organization has: no other run can begin. */
export async function reserveCredits({ store }: Stage, agent: OwnedAgent): Promise<void> {
  const { available } = await agent.owner.wallet(agent.organizationId);
  const instanceId = fromGlobalId('Instance', agent.instanceId)!;
  const { offeringId } = await store.stack.mounted
    .clientOf('control-plane', 'runs')
    .call<{ offeringId: string }>('GET', `/instances/${instanceId}/entitlements`);
  await store.stack.mounted.clientOf('billing', 'runs').call('POST', '/billing/authorize', {
    organizationId: fromGlobalId('Organization', agent.organizationId),
    instanceId,
    offeringId,
    runId: uuidv7(),
    amount: (BigInt(available) - 1n).toString(),
    ttlSeconds: 300,
  });
}
