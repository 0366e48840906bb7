import { serviceScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import type { Condition } from './condition.ts';
import { engineBaseOf } from './knowledge-base.ts';
import { beginMaking, endMaking, knowledgeBasesByIds, noteFault } from './knowledge-bases.store.ts';

type Seen = Pick<Condition, 'status' | 'reason' | 'message'>;

const unready = (reason: string, message: string): Seen => ({ status: 'False', reason, message });

/**
 * Has the engine make a base that is applied, and answers what the engine says of it: the one who observes readiness asks for it, until it is so. Undefined
 * when there is no such base. One at a time makes a base, and each fault keeps the next one waiting longer; after `provisionTries` of them it is FAILED.
 */
export async function provisionKnowledgeBase(
  room: Room,
  caller: Caller,
  id: Uuid,
): Promise<Seen | undefined> {
  const { db, engine, log } = room;
  const scope = serviceScope(caller, 'gitops:observe');
  const [base] = await db.transaction(scope, (tx) => knowledgeBasesByIds(tx, [id]));
  if (!base) return undefined;
  if (base.state === 'DELETING') return unready('Deleting', 'The knowledge base is being removed.');
  if (base.state === 'FAILED') return unready('EngineFailed', 'The engine did not make it in the end.');
  if (!(await db.transaction(scope, (tx) => beginMaking(tx, id))))
    return unready('EngineBusy', 'The engine is making it, or could not do so a moment ago.');
  try {
    await engine.createBase({ ...engineBaseOf(base), name: base.name, language: base.language });
  } catch (error) {
    log.warn({ err: error, knowledgeBaseId: id }, 'a knowledge base was not made in the engine');
    await db.transaction(scope, (tx) => noteFault(tx, id, room.provisionTries));
    return unready('EngineUnavailable', 'The engine did not make it; that is tried again.');
  }
  await db.transaction(scope, (tx) => endMaking(tx, id));
  return { status: 'True', reason: 'EngineReady', message: 'The engine has the knowledge base.' };
}
