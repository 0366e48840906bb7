import { systemScope } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Artifact, Room } from '../deps.ts';
import { kinds, type Kind } from '../desired/manifests.ts';
import type { Repository } from '../writer/repository.ts';
import {
  deleteResource,
  lockApplier,
  moveTo,
  noteReported,
  positionOf,
  queueRemoval,
  tellApplied,
  unready,
  unreported,
  upsertResource,
  writeConditions,
  type AppliedResource,
  type Condition,
} from './applied-resources.store.ts';
import { crdValidators, readManifest } from './crd-schemas.ts';

const scope = systemScope('gitops-applier');

/**
 * Takes over what the branch says (the part of Argo CD, embedded): the files that changed since the last applied commit are validated against
 * the CRDs and applied, or their resource gets Accepted=False with the reason. Then it observes readiness and tells the control plane, again until
 * that is acknowledged.
 */
export function startApplier(room: Room, repository: Repository): Loop {
  const validators = crdValidators();
  const root = `clusters/${room.environment}/instances/`;
  return startLoop({ name: 'gitops-applier', log: room.log, everyMs: 1_000, work: round });

  async function round(): Promise<boolean> {
    await apply();
    await observe();
    return report();
  }

  async function apply(): Promise<void> {
    const tip = await repository.tip();
    if (!tip) return;
    await room.db.transaction(scope, async (tx) => {
      await lockApplier(tx);
      const position = await positionOf(tx, room.branch);
      if (position === tip) return;
      for (const [file, text] of await repository.diff(position, tip))
        if (file.startsWith(root)) await applyFile(tx, file, text, tip);
      await moveTo(tx, room.branch, tip);
      await tellApplied(tx);
    });
  }

  async function applyFile(tx: Tx, file: string, text: string | null, commit: string): Promise<void> {
    const folder = file.slice(0, file.lastIndexOf('/'));
    const instanceId = folder.slice(folder.lastIndexOf('/') + 1);
    const kind = kinds.find((one) => `${one.toLowerCase()}.yaml` === file.slice(file.lastIndexOf('/') + 1));
    if (!kind || !/^[0-9a-f-]{36}$/.test(instanceId)) return;
    if (text === null) return void (await deleteResource(tx, kind, instanceId, commit));
    const { manifest, fault } = readManifest(text, validators);
    const problem =
      fault ??
      (manifest!.spec.instanceId !== instanceId
        ? 'spec.instanceId is not the folder it stands in'
        : undefined);
    if (problem) return refuse(tx, { kind, instanceId, folder, commit, problem });
    const { spec } = manifest!;
    await upsertResource(tx, {
      kind,
      instanceId,
      folder,
      commit,
      spec,
      name: manifest!.metadata.name,
      organizationId: spec.organizationId,
      generation: spec.generation,
      conditions: [
        condition('Accepted', 'True', {
          reason: 'Valid',
          message: 'The manifest fits its schema.',
          generation: spec.generation,
        }),
      ],
    });
  }

  /** A bad file changes nothing that is applied: its resource only says why it was not taken over. */
  async function refuse(
    tx: Tx,
    bad: { kind: Kind; instanceId: string; folder: string; commit: string; problem: string },
  ): Promise<void> {
    room.log.warn(bad, 'manifest refused');
    const [row] = await tx.sql<{ generation: number }>(
      '-- refuse\n select generation from applied_resource where kind = $1 and instance_id = $2',
      [bad.kind, bad.instanceId],
    );
    if (row)
      await writeConditions(tx, { ...bad, generation: row.generation }, [
        condition('Accepted', 'False', {
          reason: 'Invalid',
          message: bad.problem,
          generation: row.generation,
        }),
      ]);
  }

  /** Ready is what is seen, not what was hoped: a route is ready when its artifact is really stored; policies when they were accepted. */
  async function observe(): Promise<void> {
    for (const resource of await room.db.transaction(scope, unready)) {
      const ready = await readiness(resource);
      await room.db.transaction(scope, async (tx) => {
        await lockApplier(tx);
        await writeConditions(tx, resource, [
          ...resource.conditions.filter(({ type }) => type !== 'Ready'),
          ready,
        ]);
        await tellApplied(tx);
      });
    }
  }

  async function readiness(resource: AppliedResource): Promise<Condition> {
    const at = { generation: resource.generation };
    const phase = resource.spec['desiredPhase'];
    if (resource.kind !== 'GatewayRoute' || phase === 'Terminated')
      return condition('Ready', 'True', {
        ...at,
        reason: 'Applied',
        message: `Applied as ${String(phase as string)}.`,
      });
    const { artifact } = resource.spec['runtime'] as { artifact: Artifact };
    try {
      if (await room.artifactIsThere(artifact))
        return condition('Ready', 'True', {
          ...at,
          reason: 'ArtifactStored',
          message: 'The route is applied and its artifact is stored.',
        });
      return condition('Ready', 'False', {
        ...at,
        reason: 'ArtifactMissing',
        message: `${artifact.key} is not stored with ${artifact.sizeBytes} bytes.`,
      });
    } catch (error) {
      room.log.warn({ err: error, artifact }, 'artifact cannot be checked');
      return condition('Ready', 'Unknown', {
        ...at,
        reason: 'ObjectStorageUnavailable',
        message: 'Whether the artifact is stored cannot be seen now.',
      });
    }
  }

  async function report(): Promise<boolean> {
    const due = await room.db.transaction(scope, unreported);
    for (const { instanceId, version, resources } of due) {
      const observedGeneration = Math.min(...resources.map(({ generation }) => generation));
      const { state } = await room.controlPlane.call<{ state: string }>(
        'POST',
        `/internal/instances/${instanceId}/conditions`,
        {
          observedGeneration,
          commit: resources[0]!.commit,
          resources: resources.map(({ kind, name, conditions }) => ({ kind, name, conditions })),
        },
        { retries: 2 },
      );
      await room.db.transaction(scope, async (tx) => {
        await noteReported(tx, instanceId, version);
        if (state === 'TERMINATED') await queueRemoval(tx, resources[0]!.folder, instanceId);
      });
    }
    return due.length === 100;
  }
}

function condition(
  type: Condition['type'],
  status: Condition['status'],
  said: { reason: string; message: string; generation: number },
): Condition {
  return {
    type,
    status,
    reason: said.reason,
    message: said.message,
    observedGeneration: said.generation,
    lastTransitionTime: new Date().toISOString(),
  };
}
