import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { currentVersion, offeringBy, plansOf } from '../offerings/offerings.store.ts';
import { projectById } from '../organizations/organizations.store.ts';
import type { Instance, InstanceRefusal } from './instance.ts';
import { requestInstance } from './request-instance.ts';

/** The plan under which an offering can be tried: the one that is not sold. */
const trialCode = 'trial';

/** A trial instance of an offering in a project, once per key. */
export async function activateInstance(
  { db }: Room,
  caller: Caller,
  input: { projectId: Uuid | undefined; offeringSlug: string; idempotencyKey: string },
): Promise<Outcome<Instance, InstanceRefusal>> {
  return db.transaction(
    callerScope(caller, 'instance:create'),
    async (tx): Promise<Outcome<Instance, InstanceRefusal>> => {
      const project = input.projectId ? await projectById(tx, input.projectId) : undefined;
      if (!project)
        return refused({
          code: 'PROJECT_NOT_FOUND',
          message: 'There is no such project.',
          field: 'projectId',
        });
      const offering = await offeringBy(tx, { slug: input.offeringSlug });
      const plan = offering && (await plansOf(tx, offering.id)).find(({ code }) => code === trialCode);
      const version = offering && (await currentVersion(tx, offering.id));
      if (!plan || !version)
        return refused({
          code: 'OFFERING_NOT_FOUND',
          message: 'There is no such offering to try.',
          field: 'offeringSlug',
        });
      const { instance } = await requestInstance(tx, {
        organizationId: project.organizationId,
        projectId: project.id,
        offeringId: offering.id,
        offeringVersionId: version.id,
        planId: plan.id,
        name: `${offering.name} (trial)`,
        idempotencyKey: `auto:${input.idempotencyKey}`,
      });
      if (instance.offeringId !== offering.id || instance.projectId !== project.id)
        return refused({
          code: 'IDEMPOTENCY_CONFLICT',
          message: 'This key was used for another instance.',
          field: 'idempotencyKey',
        });
      return done(instance);
    },
  );
}
