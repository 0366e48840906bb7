import { setTimeout as sleep } from 'node:timers/promises';
import { systemScope } from '@agentstore/kernel/access';
import { UnavailableError } from '@agentstore/kernel/service-client';
import type { Room } from '../deps.ts';
import { UploadError } from './document-storage.ts';
import { secondsBeforeTry, type DocumentFailure } from './document.ts';
import { endAttempt, handBack, keepLease, type AttemptEnd, type LeasedDocument } from './documents.store.ts';

const scope = systemScope('ingest-document');

/** This worker has the document no longer: it was deleted, or the lease ran out. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

const told: Readonly<Record<'ENGINE_UNAVAILABLE' | 'INTERNAL', string>> = {
  ENGINE_UNAVAILABLE: 'The search engine or the storage could not be reached for long. Try again later.',
  INTERNAL: 'Something went wrong on our side. Try again, and tell us when it stays so.',
};
const failed = (failure: keyof typeof told): AttemptEnd => ({ failure, message: told[failure] });

/** Makes a leased document searchable, says meanwhile how far it is, and ends the attempt or gives the document back. Never throws. */
export async function ingestDocument(
  room: Room,
  document: LeasedDocument,
  stopping: AbortSignal,
): Promise<void> {
  const { db, log, ingest } = room;
  const write = async (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) =>
      // Whoever comes after the lease does it again.
      log.warn({ err: error, documentId: document.id }, 'the end of an ingest could not be written'),
    );
  const end = (how: AttemptEnd) => write(db.transaction(scope, (tx) => endAttempt(tx, document, how)));
  const giveBack = (how: { seconds: number; begun: boolean }) =>
    write(db.transaction(scope, (tx) => handBack(tx, document, how)));
  // The workers before this one ended without a word: it may be the document that ends them.
  if (document.tries > ingest.tries) return end(failed('INTERNAL'));

  const lost = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  let progress = document.progress;
  const keeping = keep();
  try {
    const outcome = await room.engine.ingest({
      ...document,
      documentId: document.id,
      bytes: async () => room.storage.bytes(document, signal),
      signal,
      onProgress: (now) => (progress = Math.max(progress, Math.min(1, now))),
    });
    await stopKeeping();
    if (outcome.ok) await end(outcome.value);
    else await end({ failure: failureOf(outcome.error.code), message: outcome.error.message });
  } catch (error) {
    await stopKeeping();
    if (lost.signal.aborted) await giveBack({ seconds: 0, begun: true });
    else if (stopping.aborted) await giveBack({ seconds: 0, begun: false });
    else if (error instanceof UploadError) await end({ failure: error.code, message: error.message });
    else {
      log.warn({ err: error, documentId: document.id, tries: document.tries }, 'an ingest broke off');
      const failure = error instanceof UnavailableError ? 'ENGINE_UNAVAILABLE' : 'INTERNAL';
      if (document.tries >= ingest.tries) await end(failed(failure));
      else await giveBack({ seconds: secondsBeforeTry(document.tries), begun: true });
    }
  }

  async function stopKeeping(): Promise<void> {
    over.abort();
    await keeping;
  }

  /** Renews the lease until the work is over, or ends the work when there is none to renew. */
  async function keep(): Promise<void> {
    let until = performance.now() + ingest.leaseMs;
    for (;;) {
      await sleep(ingest.reportMs, undefined, { signal: over.signal }).catch(() => undefined);
      if (over.signal.aborted) return;
      try {
        const kept = await db.transaction(scope, (tx) =>
          keepLease(tx, document, { leaseMs: ingest.leaseMs, progress }),
        );
        if (!kept) return lost.abort(new LeaseLost('the document is gone, or another worker has it'));
        until = performance.now() + ingest.leaseMs;
      } catch (error) {
        log.warn({ err: error, documentId: document.id }, 'a lease could not be renewed');
        if (performance.now() > until) return lost.abort(new LeaseLost('the lease ran out'));
      }
    }
  }
}

const failureOf = (code: DocumentFailure | 'BASE_NOT_FOUND'): DocumentFailure =>
  code === 'BASE_NOT_FOUND' ? 'INTERNAL' : code;
