import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type {
  Base,
  Citation,
  EngineSpec,
  Ingest,
  IngestRefusal,
  KnowledgeEngine,
} from '../engines/engine.ts';

interface HeldDocument extends Base {
  readonly documentId: Uuid;
  readonly name: string;
  readonly text: string;
}

/** How a test lets one document's ingest go: it reads the bytes, then waits where it is told to. */
interface Course {
  /** What it says on the way, each after the test let it go on. */
  readonly steps?: readonly number[];
  /** What it ends with, once. */
  readonly throws?: () => Error;
  readonly refuses?: IngestRefusal;
}

/** An engine in memory that finds documents whose text has a word of the query. A test steers its ingests by the name of the document. */
export function createSmallEngine() {
  const bases = new Map<Uuid, Base>();
  const documents = new Map<Uuid, HeldDocument>();
  const courses = new Map<string, Course>();
  const waiting = new Map<string, () => void>();
  const calls: string[] = [];
  const state = { failing: undefined as Error | undefined, spec: { kind: 'Embedded' } as EngineSpec };
  const same = (one: Base, other: Base): boolean =>
    one.organizationId === other.organizationId && one.projectId === other.projectId;
  const check = (call: string): void => {
    calls.push(call);
    if (state.failing) throw state.failing;
  };

  /** Until the test says so, or the signal ends it. */
  const turn = (name: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        if (waiting.get(name) === go) waiting.delete(name);
        signal.removeEventListener('abort', end);
      };
      const end = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const go = (): void => {
        leave();
        resolve();
      };
      if (signal.aborted) return end();
      signal.addEventListener('abort', end, { once: true });
      waiting.set(name, go);
    });

  async function ingest(work: Ingest): Promise<Outcome<{ chunks: number }, IngestRefusal>> {
    check(`ingest ${work.name}`);
    const pieces: Uint8Array[] = [];
    for await (const piece of await work.bytes()) pieces.push(piece);
    const course = courses.get(work.name) ?? {};
    for (const step of course.steps ?? []) {
      work.onProgress(step);
      await turn(work.name, work.signal);
    }
    const error = course.throws?.();
    if (error) throw error;
    if (course.refuses) return refused(course.refuses);
    work.signal.throwIfAborted();
    const base = bases.get(work.knowledgeBaseId);
    if (!base || !same(base, work))
      return refused({ code: 'BASE_NOT_FOUND', message: 'There is no such base.' });
    documents.set(work.documentId, { ...work, text: Buffer.concat(pieces).toString() });
    return done({ chunks: 1 });
  }

  const engine: KnowledgeEngine = {
    ready: async () => !state.failing,
    specOf: () => state.spec,
    async createBase(base) {
      check('createBase');
      bases.set(base.knowledgeBaseId, base);
    },
    async deleteBase(base) {
      check('deleteBase');
      bases.delete(base.knowledgeBaseId);
    },
    ingest,
    async deleteDocument({ documentId }) {
      check('deleteDocument');
      documents.delete(documentId);
    },
    async search(search) {
      calls.push(`search ${search.knowledgeBaseId}`);
      const words = search.query.toLowerCase().split(/\W+/);
      return [...documents.values()]
        .filter((one) => one.knowledgeBaseId === search.knowledgeBaseId && same(one, search))
        .filter(({ documentId }) => search.documents?.includes(documentId) ?? true)
        .filter(({ text }) => words.some((word) => text.toLowerCase().includes(word)))
        .slice(0, search.limit)
        .map(({ documentId, name, text }, at): Citation => ({
          documentId,
          documentName: name,
          chunkId: uuidv7(),
          text,
          score: 1 / (at + 1),
          page: null,
        }));
    },
  };
  return {
    engine,
    bases,
    documents,
    /** Every call, in order. */
    calls,
    /** `failing`: what every call but `ready` and `search` throws from now on. */
    state,
    course: (name: string, course: Course): void => void courses.set(name, course),
    /** Lets a document's ingest go on from where it waits; false when it does not wait (yet). */
    goOn(name: string): boolean {
      const go = waiting.get(name);
      go?.();
      return go !== undefined;
    },
    waits: (name: string): boolean => waiting.has(name),
  };
}
