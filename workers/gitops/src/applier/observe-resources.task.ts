import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Artifact, Room } from '../deps.ts';
import {
  lockApplier,
  noteCheck,
  tellApplied,
  unready,
  writeConditions,
  type AppliedResource,
} from './applied-resources.store.ts';
import { withCondition, type Condition } from './conditions.ts';

const scope = systemScope('gitops-observer');
/** Looks at object storage at the same time. */
const together = 20;

type Seen = Pick<Condition, 'status' | 'reason' | 'message'>;

/**
 * Observes whether what is applied is ready. It works beside the applier, so storage that hangs delays what is seen and never what is applied. What
 * is the same as before is not written again.
 */
export function startObserver(room: Room, onObserved: () => void): Loop {
  return startLoop({ name: 'gitops-observer', log: room.log, everyMs: 1_000, work: round });

  async function round(): Promise<void> {
    const due = await room.db.transaction(scope, unready);
    // First what needs no looking: a policy does not wait for another instance's artifact.
    const [plain, routes] = [due.filter((one) => !artifactOf(one)), due.filter(artifactOf)];
    if (plain.length) await write(plain.map((resource) => ({ resource, seen: applied(resource) })));
    for (let at = 0; at < routes.length; at += together)
      await write(
        await Promise.all(
          routes
            .slice(at, at + together)
            .map(async (resource) => ({ resource, seen: await look(artifactOf(resource)!) })),
        ),
      );
  }

  async function write(found: readonly { resource: AppliedResource; seen: Seen }[]): Promise<void> {
    const changed = await room.db.transaction(scope, async (tx) => {
      await lockApplier(tx);
      let any = false;
      for (const { resource, seen } of found) {
        const observedGeneration = resource.generation;
        const conditions = withCondition(resource.conditions, { type: 'Ready', ...seen, observedGeneration });
        any = (conditions && (await writeConditions(tx, resource, conditions))) || any;
        await noteCheck(tx, resource);
      }
      if (any) await tellApplied(tx);
      return any;
    });
    // The first look may find what was known already; it is a reason to report all the same.
    if (changed || found.some(({ resource }) => resource.checks === 0)) onObserved();
  }

  async function look(artifact: Artifact): Promise<Seen> {
    try {
      return (await room.artifactIsThere(artifact))
        ? {
            status: 'True',
            reason: 'ArtifactStored',
            message: 'The route is applied and its artifact is stored.',
          }
        : {
            status: 'False',
            reason: 'ArtifactMissing',
            message: `${artifact.key} is not stored with ${artifact.sizeBytes} bytes.`,
          };
    } catch (error) {
      room.log.warn({ err: error, artifact }, 'artifact cannot be checked');
      return {
        status: 'Unknown',
        reason: 'ObjectStorageUnavailable',
        message: 'Whether the artifact is stored cannot be seen now.',
      };
    }
  }
}

const phaseOf = ({ spec }: AppliedResource): string => String(spec['desiredPhase'] as string);

/** What has to be stored before a resource is ready: a route that answers runs needs its artifact; one that refuses them, and policies, need nothing. */
const artifactOf = (resource: AppliedResource): Artifact | undefined =>
  resource.kind === 'GatewayRoute' && phaseOf(resource) === 'Active'
    ? (resource.spec['runtime'] as { artifact: Artifact }).artifact
    : undefined;

const applied = (resource: AppliedResource): Seen => ({
  status: 'True',
  reason: 'Applied',
  message: `Applied as ${phaseOf(resource)}.`,
});
