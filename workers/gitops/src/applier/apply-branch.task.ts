import { systemScope } from '@agentstore/kernel/access';
import { isDatabaseDown, type Tx } from '@agentstore/kernel/db/database';
import { isUuid } from '@agentstore/kernel/ids';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { fileOf } from '../desired/manifests.ts';
import { subjectNames, subjectOfKind, subjects, type Kind } from '../desired/subjects.ts';
import type { Repository } from '../writer/repository.ts';
import {
  deleteResource,
  lockApplier,
  moveTo,
  noteCheck,
  positionOf,
  resourcesOf,
  resourcesWithout,
  tellApplied,
  upsertResource,
  writeConditions,
  type AppliedResource,
} from './applied-resources.store.ts';
import { accepted, refused, withCondition } from './conditions.ts';
import { crdValidators, readManifest, type Read } from './crd-schemas.ts';

const scope = systemScope('gitops-applier');

/** A file of the branch that says something of an instance or a knowledge base. */
interface SubjectFile {
  readonly kind: Kind;
  /** Or that of the knowledge base. */
  readonly instanceId: string;
  readonly folder: string;
  readonly text: string | null;
}

/**
 * Takes over what the branch says (the part of Argo CD, embedded): the files that changed since the last applied commit are validated against
 * the CRDs and applied, or their resource says why not. Each file stands for itself: a bad one never holds up another.
 */
export function startApplier(room: Room, repository: Repository, onApplied: () => void): Loop {
  const validators = crdValidators();
  const root = `clusters/${room.environment}/`;
  return startLoop({ name: 'gitops-applier', log: room.log, everyMs: 1_000, work: apply });

  async function apply(): Promise<void> {
    const tip = await repository.tip();
    if (!tip) return;
    const moved = await room.db.transaction(scope, async (tx) => {
      await lockApplier(tx);
      const position = await positionOf(tx, room.branch);
      if (position === tip) return false;
      const known = position !== undefined && (await repository.has(position));
      const files = await repository.diff(known ? position : undefined, tip);
      if (position !== undefined && !known) await startAnew(tx, [...files.keys()], tip);
      for (const [path, text] of files) {
        const file = fileAt(path, text);
        if (file) await applyFile(tx, file, tip);
      }
      await moveTo(tx, room.branch, tip);
      await tellApplied(tx);
      return true;
    });
    if (moved) onApplied();
  }

  /** The commit applied last is not in the repository, so what was taken away since cannot be told from a difference. */
  async function startAnew(tx: Tx, files: readonly string[], commit: string): Promise<void> {
    const gone = await resourcesWithout(tx, root, files);
    room.log.warn({ commit, gone: gone.length }, 'the applied commit is unknown here; applied from scratch');
    for (const { kind, instanceId } of gone) await deleteResource(tx, kind, instanceId, commit);
  }

  function fileAt(path: string, text: string | null): SubjectFile | undefined {
    if (!path.startsWith(root)) return undefined;
    const [folder, organization, project, id, name, more] = path.slice(root.length).split('/');
    const subject = subjectNames.find((one) => subjects[one].folder === folder);
    const kind = subject && subjects[subject].kinds.find((one) => fileOf(one) === name);
    if (!kind || more !== undefined || !isUuid(id!)) return undefined;
    return { kind, instanceId: id!, folder: `${root}${folder}/${organization}/${project}/${id}`, text };
  }

  async function applyFile(tx: Tx, file: SubjectFile, commit: string): Promise<void> {
    const rows = await resourcesOf(tx, file.instanceId);
    const elsewhere = rows.find(({ deleted, folder }) => !deleted && folder !== file.folder);
    if (elsewhere) {
      // A copy in a stranger's folder says nothing of it, neither while it is there nor when it goes.
      room.log.warn(
        { ...file, text: undefined, stands: elsewhere.folder },
        'what the file is about stands elsewhere',
      );
      return;
    }
    if (file.text === null) return void (await deleteResource(tx, file.kind, file.instanceId, commit));
    const read = readManifest(file.text, validators, file);
    const problem = read.fault ?? foreignOwner(read, rows, file.kind);
    if (problem !== undefined) return refuse(tx, { file, rows, read, commit, problem });
    const broken = await inSavepoint(tx, () => take(tx, { file, rows, read, commit }));
    if (broken) await refuse(tx, { file, rows, read, commit, problem: broken.message });
  }

  async function take(
    tx: Tx,
    {
      file,
      rows,
      read,
      commit,
    }: { file: SubjectFile; rows: readonly AppliedResource[]; read: Read; commit: string },
  ): Promise<void> {
    const { spec, metadata } = read.manifest!;
    const before = rows.find(({ kind, deleted }) => kind === file.kind && !deleted);
    await upsertResource(tx, {
      kind: file.kind,
      instanceId: file.instanceId,
      folder: file.folder,
      commit,
      spec,
      name: metadata.name,
      organizationId: spec.organizationId,
      generation: spec.generation,
      conditions:
        withCondition(before?.conditions ?? [], accepted(spec.generation)) ?? before?.conditions ?? [],
      checks: 0,
    });
  }

  /** A bad file changes nothing that is applied: its resource only says why it was not taken over, and is not ready at the generation that was meant. */
  async function refuse(
    tx: Tx,
    bad: {
      file: SubjectFile;
      rows: readonly AppliedResource[];
      read: Read;
      commit: string;
      problem: string;
    },
  ): Promise<void> {
    const { file, rows, read, commit, problem } = bad;
    const { kind, instanceId, folder } = file;
    room.log.warn({ kind, instanceId, folder, commit, problem }, 'manifest refused');
    const before = rows.find((row) => row.kind === kind && !row.deleted);
    const generation = read.generation ?? before?.generation ?? 0;
    const conditions = withCondition(before?.conditions ?? [], refused(generation, problem));
    if (before && Object.keys(before.spec).length) {
      if (conditions) await writeConditions(tx, before, conditions);
      await noteCheck(tx, before);
      return;
    }
    await upsertResource(tx, {
      kind,
      instanceId,
      folder,
      commit,
      generation,
      name: instanceId,
      organizationId: rows.find((row) => row.organizationId)?.organizationId ?? null,
      spec: {},
      conditions: conditions ?? before!.conditions,
      checks: 1,
    });
  }
}

/** Everything keeps its organization, whatever a file says. */
function foreignOwner({ manifest }: Read, rows: readonly AppliedResource[], kind: Kind): string | undefined {
  const owner = rows.find((row) => row.organizationId !== null)?.organizationId;
  return owner !== undefined && owner !== manifest!.spec.organizationId
    ? `${subjects[subjectOfKind(kind)].words[1]} keeps its id and its organization`
    : undefined;
}

/** What a file may do to its transaction: when it fails, everything else stands. The database being away is no fault of the file. */
async function inSavepoint(tx: Tx, work: () => Promise<void>): Promise<Error | undefined> {
  await tx.sql('savepoint file');
  try {
    await work();
    await tx.sql('release savepoint file');
    return undefined;
  } catch (error) {
    const transient = /^(40|53|55|57|58|XX)/.test((error as { code?: string }).code ?? '');
    if (transient || isDatabaseDown(error) || !(error instanceof Error)) throw error;
    await tx.sql('rollback to savepoint file');
    return error;
  }
}
