import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from './deps.ts';
import { purgeDocument } from './documents/delete-document.ts';
import { duePurges, expireUploads } from './documents/documents.store.ts';
import { purgeKnowledgeBase } from './knowledge-bases/delete-knowledge-base.ts';
import { dueKnowledgeBases } from './knowledge-bases/knowledge-bases.store.ts';

const batch = 50;

/** Brings to an end what a command began and a crash, a fault or an uploader left half: expired uploads and removals. */
export function startSweep(room: Room): Loop {
  return startLoop({
    name: 'knowledge-sweep',
    log: room.log,
    everyMs: room.pollMs,
    work: async (stopped) => {
      for await (const _bell of room.documentChanges.follow('sweep', stopped))
        while (!stopped.aborted && (await sweep(room)) === batch);
    },
  });
}

/** One round; answers how much there was of what there was most of. */
export async function sweep(room: Room): Promise<number> {
  const { db, uploadSeconds } = room;
  const scope = systemScope('knowledge-sweep');
  const due = { seconds: uploadSeconds, limit: batch };
  const expired = await db.transaction(scope, (tx) => expireUploads(tx, due));
  const purges = await db.transaction(scope, (tx) => duePurges(tx, due));
  for (const document of purges) await purgeDocument(room, document);
  const bases = await db.transaction(scope, (tx) => dueKnowledgeBases(tx, batch));
  for (const base of bases) await purgeKnowledgeBase(room, base);
  return Math.max(expired, purges.length, bases.length);
}
