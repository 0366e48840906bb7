import { createHash } from 'node:crypto';
import * as operations from '../../../infra/dev/main-job/knowledge-operations.ts';
import { instanceAutoActivate } from '../../../infra/dev/main-job/tool-operations.ts';
import type { DocumentNow, SeenCitation, UploadInit } from '../../setup/graph-data.ts';
import type { Person } from '../support/store.ts';
import { settled } from '../tools/tool-agent.ts';

/** An ACTIVE agent that answers from the documents of its project, and a knowledge base there. */
export interface KnowledgeAgent {
  readonly organizationId: string;
  readonly projectId: string;
  readonly instanceId: string;
  readonly knowledgeBaseId: string;
}

/** A file of a test. */
export interface TestFile {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The agent first: its plan gives the project room for knowledge. */
export async function knowledgeAgent(person: Person): Promise<KnowledgeAgent> {
  const { workspaceAuto } = await person.query(
    'mutation { workspaceAuto(input: {}) { organization { id } project { id } errors { code } } }',
  );
  const projectId = workspaceAuto.project.id;
  const { instanceAutoActivate: made } = await person.query(instanceAutoActivate, {
    input: { projectId, offeringSlug: 'help-desk', idempotencyKey: crypto.randomUUID() },
  });
  await settled(person, made.instance.id);
  return {
    organizationId: workspaceAuto.organization.id,
    projectId,
    instanceId: made.instance.id,
    knowledgeBaseId: await knowledgeBaseOf(person, projectId),
  };
}

export async function knowledgeBaseOf(person: Person, projectId: string): Promise<string> {
  const { knowledgeBaseCreate: made } = await person.query(operations.knowledgeBaseCreate, {
    input: { projectId, name: 'Manuals', idempotencyKey: crypto.randomUUID() },
  });
  if (!made.knowledgeBase) throw new Error(JSON.stringify(made.errors));
  const { id } = made.knowledgeBase;
  await person.waitFor(
    'query ($id: ID!) { knowledgeBase(id: $id) { state } }',
    { id },
    ({ knowledgeBase }) => (knowledgeBase?.state === 'READY' ? true : undefined),
  );
  return id;
}

export async function announce(
  person: Person,
  knowledgeBaseId: string,
  { name, contentType, bytes }: TestFile,
  more: object = {},
): Promise<UploadInit> {
  const { documentUploadInit } = await person.query(operations.documentUploadInit, {
    input: { knowledgeBaseId, name, contentType, sizeBytes: bytes.length, sha256: sha256Of(bytes), ...more },
  });
  return documentUploadInit;
}

export const put = (upload: UploadInit['upload'], bytes: Buffer<ArrayBuffer>): Promise<Response> =>
  fetch(upload!.url, {
    method: upload!.method,
    headers: Object.fromEntries(upload!.headers.map(({ name, value }) => [name, value])),
    body: bytes,
  });

/** Announces and uploads a file; answers the document's id. */
export async function uploaded(person: Person, knowledgeBaseId: string, file: TestFile): Promise<string> {
  const { document, upload, errors } = await announce(person, knowledgeBaseId, file);
  if (!document) throw new Error(JSON.stringify(errors));
  const answer = await put(upload, file.bytes);
  if (!answer.ok) throw new Error(await answer.text());
  return document.id;
}

export async function ingest(person: Person, documentId: string) {
  const { documentIngest } = await person.query(operations.documentIngest, { input: { documentId } });
  return documentIngest;
}

/** Everything that is told of a document until it is READY or FAILED, beginning before it is put in line. */
export async function ingested(
  person: Person,
  knowledgeBaseId: string,
  documentId: string,
): Promise<DocumentNow[]> {
  const told: DocumentNow[] = [];
  const changes = person.subscribe(operations.documentChanged, { knowledgeBaseId });
  const begun = ingest(person, documentId);
  for await (const { documentChanged: now } of changes) {
    if (now.id !== documentId) continue;
    told.push(now);
    if (now.state === 'READY' || now.state === 'FAILED') break;
  }
  await begun;
  return told;
}

/** What a run says, and which passages its messages cite. */
export async function citedAnswer(
  person: Person,
  instanceId: string,
  input: string,
): Promise<{
  readonly kinds: readonly string[];
  readonly text: string;
  readonly citations: readonly (SeenCitation & { readonly messageId: string })[];
  readonly messageIds: readonly string[];
}> {
  const { run } = await person.run(instanceId, input);
  const events = await person.runEvents(operations.citedRun, { runId: run!.id });
  return {
    kinds: events.map((event) => event.__typename),
    text: events.map(({ delta }) => delta ?? '').join(''),
    citations: events.flatMap(({ citation, messageId }) =>
      citation ? [{ ...citation, messageId: messageId! }] : [],
    ),
    messageIds: events.flatMap(({ __typename, messageId }) =>
      __typename === 'TextMessageStart' ? [messageId!] : [],
    ),
  };
}
