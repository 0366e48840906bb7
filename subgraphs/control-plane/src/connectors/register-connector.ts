import { hashOf } from '@agentstore/kernel/canonical-json';
import { secretFieldsOf, type ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { renewInstances } from '../instances/instances.store.ts';
import { suspendBindings } from './bindings.store.ts';
import { keepsSecrets, type Connector } from './connector.ts';
import {
  insertDefinition,
  instancesReaching,
  lockOrInsertConnector,
  pointConnector,
} from './connectors.store.ts';

/**
 * Makes a connector be what a definition says, in the caller's transaction; the same again changes nothing. Instances that call it get a new
 * generation: their policies pin the definition. Where secrets would go to another origin or under other names from now on, they have to be given anew.
 */
export async function registerConnector(
  tx: Tx,
  organizationId: Uuid | null,
  definition: ConnectorDefinition,
): Promise<Connector> {
  const now = { definition, sha256: hashOf(definition), secretFields: secretFieldsOf(definition) };
  await insertDefinition(tx, now);
  const { id, before } = await lockOrInsertConnector(tx, {
    organizationId,
    slug: definition.slug,
    sha256: now.sha256,
  });
  const connector: Connector = { id, organizationId, slug: definition.slug, ...now };
  if (before?.sha256 === now.sha256) return connector;
  if (before) {
    await pointConnector(tx, id, now.sha256);
    if (!keepsSecrets(before, now)) await suspendBindings(tx, id);
  }
  const bound = now.secretFields.length > 0 && before?.secretFields.length !== 0;
  await renewInstances(tx, await instancesReaching(tx, connector, { bound }), 'tools-changed');
  return connector;
}
