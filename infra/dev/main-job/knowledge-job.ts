import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../progress.ts';
import { accept, type Errors } from './accept.ts';
import { activeAgent } from './active-agent.ts';
import { graphClient, type GraphClient } from './graph-client.ts';
import * as operations from './knowledge-operations.ts';
import { runStart } from './tool-operations.ts';

/** What the knowledge job needs to know: what any developer of the organization knows, and files of their own. */
export interface KnowledgeJobStore {
  readonly graphqlUrl: string;
  readonly accessToken: string;
  readonly projectId: string;
  readonly offeringSlug: string;
  readonly documents: readonly DemoDocument[];
}

/** A file that is put into the knowledge base. */
export interface DemoDocument {
  readonly file: string;
  readonly contentType: string;
}

const baseName = 'Manuals and terms';
const readyWithinMs = 90_000;
const runWithinMs = 150_000;

/**
 * Puts two documents into a knowledge base, gets an agent that answers from it, and runs it: its answer cites the passages it rests on. Again it uses what is there already: a
 * file whose sha256 is known is not uploaded again. Answers the agent's id; throws with the code of the first refusal.
 */
export async function knowledgeJob(
  store: KnowledgeJobStore,
  progress: Progress,
  prompt: string,
): Promise<string> {
  const graph = graphClient({ url: store.graphqlUrl, token: store.accessToken });
  try {
    // First, because its plan is what gives the project room for knowledge.
    const instanceId = await progress.step('agent with knowledge', async (say) => {
      const { id } = await activeAgent(graph, store);
      say('ACTIVE; its plan gives room for documents');
      return id;
    });
    const base = await progress.step('knowledge base', (say) => knowledgeBase(graph, store, say));
    await progress.step('documents', async (say) => {
      const told = { say, progress };
      await fill(graph, { base, documents: store.documents }, told);
    });
    await progress.step('cited answer', (say) => askAgent(graph, { instanceId, prompt }, { say, progress }));
    return instanceId;
  } finally {
    await graph.close();
  }
}

type Say = (text: string) => void;
interface Told {
  readonly say: Say;
  readonly progress: Progress;
}

interface DocumentNow {
  readonly id: string;
  readonly name: string;
  readonly sha256?: string | null;
  readonly state: string;
  readonly progress: number;
  readonly chunkCount: number;
  readonly failure: string | null;
  readonly error: string | null;
}
interface Base {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}
type Filled = Base & { readonly documents: { readonly edges: readonly { readonly node: DocumentNow }[] } };

async function basesOf(graph: GraphClient, projectId: string): Promise<readonly Filled[]> {
  const { project } = await graph.query<{
    project: { readonly knowledgeBases: { readonly edges: readonly { readonly node: Filled }[] } };
  }>(operations.knowledgeBases, { projectId });
  return project.knowledgeBases.edges.map(({ node }) => node);
}

async function knowledgeBase(
  graph: GraphClient,
  { projectId }: KnowledgeJobStore,
  say: Say,
): Promise<Filled> {
  const isUsable = ({ name, state }: Base): boolean => name === baseName && state === 'READY';
  const former = (await basesOf(graph, projectId)).find(isUsable);
  if (former) {
    say(`“${baseName}” is there already`);
    return former;
  }
  const { knowledgeBaseCreate: made } = await graph.query<{
    knowledgeBaseCreate: { knowledgeBase: Base | null; errors: Errors };
  }>(operations.knowledgeBaseCreate, {
    input: { projectId, name: baseName, idempotencyKey: crypto.randomUUID() },
  });
  accept(made.errors);
  for (const until = Date.now() + readyWithinMs; Date.now() < until; await sleep(50)) {
    const now = (await basesOf(graph, projectId)).find(({ id }) => id === made.knowledgeBase!.id);
    if (now?.state !== 'READY') continue;
    say(`“${baseName}” is in Git, applied, and READY`);
    return now;
  }
  throw new Error('the knowledge base did not become READY');
}

async function fill(
  graph: GraphClient,
  { base, documents }: { readonly base: Filled; readonly documents: readonly DemoDocument[] },
  { say, progress }: Told,
): Promise<void> {
  const known = new Map(base.documents.edges.map(({ node }) => [node.sha256, node]));
  const awaited = new Map<string, string>();
  for (const { file, contentType } of documents) {
    const bytes = fs.readFileSync(file);
    const name = path.basename(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const former = known.get(sha256);
    if (former?.state === 'READY') {
      progress.line(`    ${name.padEnd(24)} is there, ${former.chunkCount} passages`);
      continue;
    }
    const id =
      former && former.state !== 'AWAITING_UPLOAD'
        ? former.id
        : await upload(graph, { knowledgeBaseId: base.id, name, contentType, sha256, bytes });
    awaited.set(id, name);
  }
  // Followed from before they are put in line, so that no step is missed.
  const following = awaited.size ? follow(graph, base.id, awaited, progress) : undefined;
  for (const documentId of awaited.keys()) {
    const { documentIngest } = await graph.query<{ documentIngest: { errors: Errors } }>(
      operations.documentIngest,
      { input: { documentId } },
    );
    accept(documentIngest.errors);
  }
  await following;
  say(awaited.size ? `${awaited.size} uploaded straight to storage and made searchable` : 'nothing is new');
}

async function upload(
  graph: GraphClient,
  {
    bytes,
    ...file
  }: {
    readonly knowledgeBaseId: string;
    readonly name: string;
    readonly contentType: string;
    readonly sha256: string;
    readonly bytes: Buffer<ArrayBuffer>;
  },
): Promise<string> {
  const { documentUploadInit: init } = await graph.query<{
    documentUploadInit: {
      document: { id: string } | null;
      upload: {
        method: string;
        url: string;
        headers: readonly { name: string; value: string }[];
      } | null;
      errors: Errors;
    };
  }>(operations.documentUploadInit, { input: { ...file, sizeBytes: bytes.length } });
  accept(init.errors);
  const { url, method, headers } = init.upload!;
  const answer = await fetch(url, {
    method,
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    body: bytes,
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`the storage answered ${answer.status}: ${await answer.text()}`);
  return init.document!.id;
}

/** Until all of them are READY; throws why one FAILED. */
async function follow(
  graph: GraphClient,
  knowledgeBaseId: string,
  awaited: ReadonlyMap<string, string>,
  progress: Progress,
): Promise<void> {
  const left = new Set(awaited.keys());
  for await (const { documentChanged: now } of graph.subscribe<{ documentChanged: DocumentNow }>(
    operations.documentChanged,
    { knowledgeBaseId },
    { deadlineMs: readyWithinMs },
  )) {
    if (!left.has(now.id)) continue;
    progress.line(
      `    ${now.name.padEnd(24)} ${now.state.padEnd(15)} ${String(Math.round(now.progress * 100)).padStart(3)} %${now.state === 'READY' ? `  ${now.chunkCount} passages` : ''}`,
    );
    if (now.state === 'FAILED') throw new Error(`${now.name}: ${now.failure} ${now.error}`);
    if (now.state === 'READY') left.delete(now.id);
    if (left.size === 0) return;
  }
}

interface Event {
  readonly __typename: string;
  readonly delta?: string;
  readonly content?: string;
  readonly isError?: boolean;
  readonly citation?: {
    readonly documentName: string;
    readonly page: number | null;
    readonly score: number;
    readonly text: string;
  };
  readonly error?: { readonly code: string; readonly message: string };
}

async function askAgent(
  graph: GraphClient,
  { instanceId, prompt }: { readonly instanceId: string; readonly prompt: string },
  { say, progress }: Told,
): Promise<void> {
  const { runStart: started } = await graph.query<{
    runStart: { run: { id: string } | null; errors: Errors };
  }>(runStart, { input: { instanceId, input: prompt, idempotencyKey: crypto.randomUUID() } });
  accept(started.errors);
  progress.line(`    asked      ${prompt}`);
  const citations: NonNullable<Event['citation']>[] = [];
  let text = '';
  for await (const { runEvents: event } of graph.subscribe<{ runEvents: Event }>(
    operations.citedRun,
    { runId: started.run!.id },
    { deadlineMs: runWithinMs },
  )) {
    if (event.citation) citations.push(event.citation);
    if (event.__typename === 'ToolCallResult' && event.isError)
      throw new Error(`the search failed: ${event.content}`);
    if (event.__typename === 'TextMessageContent') text += event.delta;
    if (event.__typename === 'RunFailed')
      throw new Error(`the run failed: ${event.error?.code} ${event.error?.message}`);
  }
  progress.line(`    “${shortened(text, 400)}”`);
  for (const [index, { documentName, page, score, text: passage }] of citations.entries())
    progress.line(
      `    [${index + 1}] ${documentName}${page === null ? '' : `, page ${page}`} (score ${score.toFixed(2)}): ${shortened(passage, 100)}`,
    );
  if (!citations.length) throw new Error('the answer cites nothing');
  say(`${citations.length} citations in the run's events`);
}

function shortened(text: string, most: number): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
