import type { Scope } from '@agentstore/kernel/access';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { instancesOfPlan, renewInstances } from '../instances/instances.store.ts';
import { schemaFault } from './config-schema.ts';
import { writeCatalogue, type CatalogueEntry } from './offerings.store.ts';

export type CatalogueRefusal = Refusal & { readonly code: 'VERSION_IMMUTABLE' | 'INVALID_CONFIG_SCHEMA' };

/** Undoes what was written before it was seen that the version is another one. */
class VersionImmutable extends Error {}

/**
 * Makes the catalogue say what the entry says. Instances of a plan whose limits, configuration or entitlements changed get a new generation in the same
 * transaction: what Git holds of them is never older than what is sold.
 */
export async function putCatalogue(
  { db }: Room,
  scope: Scope,
  entry: CatalogueEntry,
): Promise<Outcome<{ offeringId: Uuid; versionId: Uuid }, CatalogueRefusal>> {
  const fault = schemaFault(entry.version.configSchema);
  if (fault) return refused({ code: 'INVALID_CONFIG_SCHEMA', message: fault, field: 'version.configSchema' });
  const put = await db
    .transaction(scope, async (tx) => {
      const written = await writeCatalogue(tx, entry);
      if (!written) throw new VersionImmutable();
      for (const planId of written.changedPlans)
        await renewInstances(tx, await instancesOfPlan(tx, planId), 'plan-changed');
      return written;
    })
    .catch((error: unknown) => {
      if (error instanceof VersionImmutable) return undefined;
      throw error;
    });
  return put
    ? done({ offeringId: put.offeringId, versionId: put.versionId })
    : refused({
        code: 'VERSION_IMMUTABLE',
        message: `Version ${entry.version.version} is published with other contents; put another version.`,
      });
}
