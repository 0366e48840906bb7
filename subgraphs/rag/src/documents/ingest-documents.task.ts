import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { leaseDocuments } from './documents.store.ts';
import { ingestDocument } from './ingest-document.ts';

/** Ingests what is in line, a few documents at a time; what is under way when it is stopped goes back into the line. */
export function startIngests(room: Room): Loop {
  const { db, ingest } = room;
  const scope = systemScope('ingest-documents');
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let filled = Promise.resolve();
  const loop = startLoop({
    name: 'ingest-documents',
    log: room.log,
    everyMs: room.pollMs,
    work: async (stopped) => {
      for await (const _bell of room.documentChanges.follow('ingest', stopped)) await fill();
    },
  });

  /** One after the other: each counts what the one before has taken. */
  const fill = (): Promise<void> => (filled = filled.catch(() => undefined).then(take));

  /** Takes as many as there is room for. Each that ends makes room for the next. */
  async function take(): Promise<void> {
    const free = ingest.concurrency - underWay.size;
    if (free <= 0 || stopping.signal.aborted) return;
    const leased = await db.transaction(scope, (tx) =>
      leaseDocuments(tx, { limit: free, leaseMs: ingest.leaseMs }),
    );
    for (const document of leased) {
      const one = ingestDocument(room, document, stopping.signal).then(() => {
        underWay.delete(one);
        void fill().catch((error: unknown) => room.log.warn({ err: error }, 'the line was not looked at'));
      });
      underWay.add(one);
    }
  }

  return {
    wake: () => loop.wake(),
    async stop() {
      stopping.abort();
      await loop.stop();
      await Promise.all(underWay);
    },
  };
}
