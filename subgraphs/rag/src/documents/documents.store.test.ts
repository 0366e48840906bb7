import { expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import type { KnowledgeBase } from '../knowledge-bases/knowledge-base.ts';
import { markObserved } from '../knowledge-bases/desired-state.store.ts';
import { insertKnowledgeBase } from '../knowledge-bases/knowledge-bases.store.ts';
import {
  beginAttempt,
  documentsByIds,
  endAttempt,
  handBack,
  insertDocument,
  keepLease,
  leaseDocuments,
} from './documents.store.ts';

const { database } = await openTestDatabase('rag');
const inAll = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.transaction(systemScope('test'), work);
const newBase = (): Promise<KnowledgeBase> =>
  inAll(async (tx) => {
    const organizationId = uuidv7();
    const made = await insertKnowledgeBase(tx, {
      id: uuidv7(),
      organizationId,
      projectId: uuidv7(),
      name: 'Manuals',
      language: null,
      idempotencyKey: 'k',
      requestHash: 'h',
      engine: { kind: 'Embedded' },
      limits: {
        organizationId,
        organizationSlug: 'acme',
        projectSlug: 'default',
        knowledgeBases: 1,
        documents: 9,
        bytes: 9,
      },
    });
    await markObserved(tx, made.id);
    return { ...made, state: 'READY' };
  });
const file = { contentType: 'text/plain', sizeBytes: 1, sha256: '0'.repeat(64) };
const uploaded = (base: KnowledgeBase, name: string): Promise<Uuid> =>
  inAll(async (tx) => {
    const { id } = (await insertDocument(tx, base, { ...file, name }, 900))!;
    await beginAttempt(tx, id);
    return id;
  });
const lease = (limit: number) => inAll((tx) => leaseDocuments(tx, { limit, leaseMs: 60_000 }));
const read = async (id: Uuid) => (await inAll((tx) => documentsByIds(tx, [id])))[0];

it('lets a worker that lost its lease write nothing', async () => {
  const id = await uploaded(await newBase(), 'a');
  const [former] = await lease(1);
  expect(await lease(1)).toEqual([]);
  await inAll((tx) => handBack(tx, former!, { seconds: 0, begun: true }));
  await expect.poll(() => lease(1)).toMatchObject([{ id, tries: 2 }]);
  const before = await read(id);
  expect(await inAll((tx) => keepLease(tx, former!, { leaseMs: 1, progress: 0.9 }))).toBe(false);
  await inAll((tx) => endAttempt(tx, former!, { chunks: 7 }));
  await inAll((tx) => endAttempt(tx, former!, { failure: 'INTERNAL', message: 'x' }));
  await inAll((tx) => handBack(tx, former!, { seconds: 0, begun: true }));
  expect(await read(id)).toEqual(before);
  expect(await lease(1)).toEqual([]);
});

it('takes the projects in turn, and no document twice', async () => {
  const [many, few] = [await newBase(), await newBase()];
  const ofMany: Uuid[] = [];
  for (const name of ['1', '2', '3']) ofMany.push(await uploaded(many, name));
  const ofFew = await uploaded(few, '1');
  expect(new Set((await lease(2)).map(({ id }) => id))).toEqual(new Set([ofMany[0], ofFew]));
  const rest = await Promise.all([lease(1), lease(1), lease(1)]);
  expect(
    rest
      .flat()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(ofMany.slice(1).sort());
});

it('numbers the changes of a base in the order in which they can be read', async () => {
  const base = await newBase();
  const ids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => uploaded(base, name)));
  const revisions = (await inAll((tx) => documentsByIds(tx, ids))).map(({ revision }) => revision);
  expect(new Set(revisions).size).toBe(4);
  const [last] = await inAll((tx) =>
    tx.sql<{ revision: bigint }>('select revision from knowledge_base where id = $1', [base.id]),
  );
  expect(revisions.toSorted((a, b) => Number(a - b)).at(-1)).toBe(last!.revision);
});
