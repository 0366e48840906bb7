import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { hashOf } from '@agentstore/kernel/canonical-json';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import { currentVersion, offeringBy, plansOf, versionById } from '../offerings/offerings.store.ts';
import { projectById } from '../organizations/organizations.store.ts';
import type { Instance, InstanceRefusal } from './instance.ts';
import { instanceUnderKey } from './instances.store.ts';
import { requestInstance } from './request-instance.ts';

/** The plan under which an offering can be tried: the one that is not sold. */
const trialCode = 'trial';

/** What to try: an offering's current version, or one published version by its id. */
interface Wanted {
  readonly offeringSlug?: string | undefined;
  readonly offeringVersionId?: Uuid | undefined;
}

const conflict: InstanceRefusal = {
  code: 'IDEMPOTENCY_CONFLICT',
  message: 'This key was used for another instance.',
  field: 'idempotencyKey',
};

/** A trial instance of an offering in a project, once per key. */
export async function activateInstance(
  { db }: Room,
  caller: Caller,
  input: Wanted & { projectId: Uuid | undefined; idempotencyKey: string },
): Promise<Outcome<Instance, InstanceRefusal>> {
  const { projectId } = input;
  if (!/^[\x20-\x7e]{1,200}$/.test(input.idempotencyKey))
    return refused({
      code: 'INVALID_INPUT',
      message: 'The idempotency key must have 1 to 200 printable ASCII characters.',
      field: 'idempotencyKey',
    });
  const outcome = await db.transaction(
    callerScope(caller, 'instance:create'),
    async (tx): Promise<Outcome<Instance, InstanceRefusal>> => {
      const project = projectId ? await projectById(tx, projectId) : undefined;
      if (!project)
        return refused({
          code: 'PROJECT_NOT_FOUND',
          message: 'There is no such project.',
          field: 'projectId',
        });
      // What a key was first used for is the answer for ever, whatever is published since.
      const idempotencyKey = `auto:${input.idempotencyKey}`;
      const requestHash = hashOf({
        projectId: project.id,
        offeringSlug: input.offeringSlug,
        offeringVersionId: input.offeringVersionId,
      });
      const earlier = await instanceUnderKey(tx, project.organizationId, idempotencyKey);
      if (earlier) return earlier.requestHash === requestHash ? done(earlier) : refused(conflict);
      const found = await wantedVersion(tx, input);
      const plan = found && (await plansOf(tx, found.offering.id)).find(({ code }) => code === trialCode);
      if (!plan)
        return refused({
          code: 'OFFERING_NOT_FOUND',
          message: 'There is no such offering to try.',
          field: input.offeringSlug === undefined ? 'offeringVersionId' : 'offeringSlug',
        });
      const { offering, version } = found;
      const { instance } = await requestInstance(tx, {
        organizationId: project.organizationId,
        projectId: project.id,
        offeringId: offering.id,
        offeringVersionId: version.id,
        planId: plan.id,
        name: `${offering.name} (trial)`,
        idempotencyKey,
        requestHash,
      });
      return instance.requestHash === requestHash ? done(instance) : refused(conflict);
    },
  );
  if (projectId && !outcome.ok && outcome.error.code === 'PROJECT_NOT_FOUND')
    await forbidInsiders(db, caller, {
      needs: 'instance:create',
      sees: 'organization:read',
      find: (tx) => projectById(tx, projectId),
    });
  return outcome;
}

async function wantedVersion(tx: Tx, wanted: Wanted) {
  const named = wanted.offeringVersionId && (await versionById(tx, wanted.offeringVersionId));
  const offering = named
    ? await offeringBy(tx, { id: named.offeringId })
    : wanted.offeringSlug === undefined
      ? undefined
      : await offeringBy(tx, { slug: wanted.offeringSlug });
  const version = named || (offering && (await currentVersion(tx, offering.id)));
  return offering && version?.state === 'PUBLISHED' ? { offering, version } : undefined;
}
