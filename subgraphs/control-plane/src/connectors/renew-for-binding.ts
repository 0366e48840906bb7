import type { Tx } from '@agentstore/kernel/db/database';
import { renewInstances } from '../instances/instances.store.ts';
import { isNewest } from './bindings.store.ts';
import type { Binding } from './connector.ts';
import { connectorsById, instancesReaching } from './connectors.store.ts';

/** A binding that came or went is in the policies of its project's instances, or was: they get a new generation, unless a newer one stands in its place. */
export async function renewForBinding(tx: Tx, binding: Binding): Promise<void> {
  if (!(await isNewest(tx, binding))) return;
  const [connector] = await connectorsById(tx, [binding.connectorId]);
  const { projectId } = binding;
  await renewInstances(tx, await instancesReaching(tx, connector!, { projectId }), 'tools-changed');
}
