import { organizationScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import type { Language } from '../engines/engine.ts';
import { putInLine, renewLimits } from './desired-state.store.ts';
import { quotaRefusal, type KnowledgeBase, type KnowledgeBaseRefusal } from './knowledge-base.ts';
import {
  countKnowledgeBases,
  insertKnowledgeBase,
  knowledgeBaseUnderKey,
  lockQuota,
} from './knowledge-bases.store.ts';

/** Makes a knowledge base, once per key: the row, and a place in line for Git. It is PROVISIONING until what was applied of it is seen to be ready. */
export async function createKnowledgeBase(
  room: Room,
  caller: Caller,
  input: {
    readonly projectId: Uuid | undefined;
    readonly name: string;
    readonly language: Language | null;
    readonly idempotencyKey: string;
  },
): Promise<Outcome<KnowledgeBase, KnowledgeBaseRefusal>> {
  const { projectId, language, idempotencyKey } = input;
  const name = input.name.trim();
  if (!name || name.length > 128)
    return refused({
      code: 'INVALID_INPUT',
      message: 'The name must have 1 to 128 characters.',
      field: 'name',
    });
  if (!/^[\x20-\x7e]{1,200}$/.test(idempotencyKey))
    return refused({
      code: 'INVALID_INPUT',
      message: 'The idempotency key must have 1 to 200 printable ASCII characters.',
      field: 'idempotencyKey',
    });
  const limits = projectId && (await room.projectLimits.of(projectId));
  const scope = limits && organizationScope(caller, limits.organizationId, 'knowledge:manage');
  if (!projectId || !limits || !scope)
    return refused({ code: 'PROJECT_NOT_FOUND', message: 'There is no such project.', field: 'projectId' });
  const { organizationId } = limits;
  const requestHash = hashOf({ projectId, name, language });
  return room.db.transaction(scope, async (tx): Promise<Outcome<KnowledgeBase, KnowledgeBaseRefusal>> => {
    await lockQuota(tx, projectId);
    await renewLimits(tx, projectId, limits);
    const former = await knowledgeBaseUnderKey(tx, organizationId, idempotencyKey);
    if (former)
      return former.requestHash === requestHash
        ? done(former)
        : refused({
            code: 'IDEMPOTENCY_CONFLICT',
            message: 'This key was used for another knowledge base.',
            field: 'idempotencyKey',
          });
    const used = await countKnowledgeBases(tx, projectId);
    if (used >= limits.knowledgeBases)
      return refused(quotaRefusal({ what: 'KNOWLEDGE_BASES', limit: limits.knowledgeBases, used }));
    const id = uuidv7();
    const base = await insertKnowledgeBase(tx, {
      id,
      organizationId,
      projectId,
      name,
      language,
      idempotencyKey,
      requestHash,
      limits,
      engine: room.engine.specOf({ organizationId, projectId, knowledgeBaseId: id }),
    });
    await putInLine(tx, [base]);
    return done(base);
  });
}
