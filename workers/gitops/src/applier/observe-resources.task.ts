import { systemScope } from '@agentstore/kernel/access';
import { ServiceError, type ServiceClient } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Artifact, Room } from '../deps.ts';
import {
  lockApplier,
  noteCheck,
  tellApplied,
  unready,
  writeConditions,
  type AppliedResource,
  type Needed,
} from './applied-resources.store.ts';
import { withCondition, type Condition } from './conditions.ts';

const scope = systemScope('gitops-observer');
/** Looks at object storage, or at engines, at the same time. */
const together = 20;
/** Making a knowledge base may take an engine some time. */
const engineDeadlineMs = 15_000;

type Seen = Pick<Condition, 'status' | 'reason' | 'message'>;

/**
 * Observes whether what is applied is ready. Loops beside the applier: what needs a look at object storage, what needs one at an engine, and what needs
 * none, so that storage which hangs delays neither what is applied nor a pause. What is the same as before is not written again.
 */
export function startObserver(room: Room, onObserved: () => void): Loop {
  const loops = [
    startLoop({ name: 'gitops-observer', log: room.log, everyMs: 1_000, work: observePlain }),
    observing('artifact', artifactSeen),
    ...(room.rag ? [observing('engine', engineSeen(room.rag))] : []),
  ];
  return {
    wake: () => loops.forEach((loop) => loop.wake()),
    stop: async () => void (await Promise.all(loops.map((loop) => loop.stop()))),
  };

  async function observePlain(): Promise<void> {
    const due = await room.db.transaction(scope, (tx) => unready(tx, 'nothing'));
    if (due.length) await write(due.map((resource) => ({ resource, seen: applied(resource) })));
  }

  function observing(needed: Needed, see: (resource: AppliedResource) => Promise<Seen>): Loop {
    return startLoop({
      name: `gitops-${needed}-observer`,
      log: room.log,
      everyMs: 1_000,
      async work() {
        const due = await room.db.transaction(scope, (tx) => unready(tx, needed));
        // The resources of one subject need the same look.
        const looks = [...Map.groupBy(due, ({ instanceId }) => instanceId).values()];
        for (let at = 0; at < looks.length; at += together)
          await write((await Promise.all(looks.slice(at, at + together).map(look))).flat());
      },
    });
    async function look(resources: readonly AppliedResource[]) {
      const seen = await see(resources[0]!);
      return resources.map((resource) => ({ resource, seen }));
    }
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

  /** Whoever owns knowledge bases has the engine make what is applied, and answers what the engine says of it. */
  function engineSeen(rag: ServiceClient): (resource: AppliedResource) => Promise<Seen> {
    return async ({ instanceId, generation }) => {
      try {
        return await rag.call<Seen>(
          'POST',
          `/internal/knowledge-bases/${instanceId}/engine`,
          { generation },
          { deadlineMs: engineDeadlineMs },
        );
      } catch (error) {
        room.log.warn({ err: error, knowledgeBaseId: instanceId }, 'engine cannot be checked');
        return error instanceof ServiceError
          ? {
              status: 'False',
              reason: 'KnowledgeBaseUnknown',
              message: `Its owner answered ${error.code}.`,
            }
          : {
              status: 'Unknown',
              reason: 'KnowledgeUnavailable',
              message: 'Whether the engine has the knowledge base cannot be seen now.',
            };
      }
    };
  }

  async function artifactSeen({ spec }: AppliedResource): Promise<Seen> {
    const { artifact } = spec['runtime'] as { artifact: Artifact };
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

const applied = (resource: AppliedResource): Seen => ({
  status: 'True',
  reason: 'Applied',
  message: `Applied as ${phaseOf(resource)}.`,
});
