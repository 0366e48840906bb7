import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, vi } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import type { Caller } from '@agentstore/kernel/caller';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import type { Role } from '@agentstore/kernel/permissions';
import { serviceCaller, testTrust, userCaller } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { startObjects } from '../../../../infra/dev/objects/objects.ts';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import { openDocumentStorage } from '../documents/document-storage.ts';
import type { ProjectLimits } from '../knowledge-bases/project-limits.ts';
import { createSmallEngine } from './small-engine.ts';
import { startSmallGitops } from './small-gitops.ts';

export interface GraphAnswer {
  readonly data?: Readonly<Record<string, never>> | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** What the graph says of a document. */
export interface SeenDocument {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly attempt: number;
  readonly progress: number;
  readonly chunkCount: number;
  readonly failure: string | null;
  readonly error: string | null;
}
interface SeenUpload {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}
interface Refused {
  readonly quota?: { readonly what: string; readonly limit: string; readonly used: string } | null;
  readonly errors: readonly {
    readonly code: string;
    readonly field: string | null;
    readonly message: string;
  }[];
}
export interface InitPayload extends Refused {
  readonly document: SeenDocument | null;
  readonly upload: SeenUpload | null;
}
export interface DocumentPayload extends Refused {
  readonly document: SeenDocument | null;
}
export interface BasePayload extends Refused {
  readonly knowledgeBase: { readonly id: string; readonly name: string; readonly state: string } | null;
}

export const documentFields = 'id name state attempt progress chunkCount failure error';
const commands = {
  knowledgeBaseCreate: 'knowledgeBase { id name state } quota { what limit used }',
  knowledgeBaseDelete: 'knowledgeBase { id name state }',
  documentUploadInit: `document { ${documentFields} } upload { url method headers { name value } } quota { what limit used }`,
  documentIngest: `document { ${documentFields} }`,
  documentDelete: `document { ${documentFields} }`,
};

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A project of an organization, with somebody who may manage its knowledge. */
export interface Project {
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly developer: Caller;
}

/** The knowledge subgraph on a database of the test file's own, with an engine in memory, over the dev S3. Every part of `Deps` can be another one. */
export async function startRagApp(more: Partial<Deps> = {}) {
  const made = await openTestDatabase('rag');
  const trust = await testTrust('rag');
  const small = createSmallEngine();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rag-objects-'));
  const clock = { skewMs: 0 };
  const objects = await startObjects({
    dir,
    port: 0,
    accessKey: 'rag',
    secretKey: 'rag-secret',
    buckets: ['knowledge'],
    log: silentLog,
    now: () => Date.now() + clock.skewMs,
  });
  afterAll(async () => {
    await objects.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const limits = new Map<Uuid, ProjectLimits>();
  const deps: Deps = {
    db: made.database,
    authenticate: trust.authenticate,
    log: silentLog,
    controlPlane: createServiceClient({
      name: 'control-plane',
      baseUrl: 'http://cp',
      send: async (request) => {
        const id = /^\/projects\/([^/]+)\/knowledge-limits$/.exec(new URL(request.url).pathname)?.[1] ?? '';
        const found = limits.get(id);
        return found
          ? Response.json({ projectId: id, ...found })
          : problemResponse({ status: 404, code: 'PROJECT_NOT_FOUND', title: 'none' });
      },
    }),
    engine: small.engine,
    storage: openDocumentStorage({
      url: objects.url,
      publicUrl: objects.url,
      accessKey: 'rag',
      secretKey: 'rag-secret',
      region: 'us-east-1',
      bucket: 'knowledge',
      uploadSeconds: 900,
      deadlineMs: 60_000,
    }),
    maxFileBytes: 50 * 2 ** 20,
    uploadSeconds: 900,
    checkDeadlineMs: 60_000,
    limitsKeptMs: 0,
    ingest: { concurrency: 4, leaseMs: 5_000, reportMs: 20, tries: 3 },
    provisionTries: 3,
    pollMs: 100,
    ...more,
  };
  const app = createApp(deps);
  await app.start();
  const service = (...permissions: Parameters<typeof serviceCaller>): ServiceClient =>
    createServiceClient({
      name: 'rag',
      baseUrl: 'http://rag',
      send: app.fetch,
      token: async () => (await trust.bearer(serviceCaller(...permissions))).slice('Bearer '.length),
    });
  const gitops = startSmallGitops(service('gitops:write', 'gitops:observe'));
  afterAll(async () => {
    await gitops.loop?.stop();
    await app.stop();
  });

  const request = async (caller: Caller, body: object, accept: string, signal?: AbortSignal) =>
    app.fetch(
      new Request('http://rag/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, authorization: await trust.bearer(caller) },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      }),
    );

  const self = {
    ...made,
    app,
    deps,
    ...small,
    limits,
    /** Of the object storage, ahead of ours. */
    clock,
    objectsUrl: objects.url,
    /** A second process over the same database and storage, not started. */
    another: (other: Partial<Deps> = {}): App => createApp({ ...deps, ...other }),
    /** A service that may search for projects. */
    searcher: service('knowledge:search'),
    service,
    gitops,
    project(given: Partial<ProjectLimits> = {}, organizationId: Uuid = uuidv7()): Project {
      const projectId = uuidv7();
      limits.set(projectId, {
        organizationId,
        organizationSlug: `org-${organizationId.slice(-6)}`,
        projectSlug: 'default',
        knowledgeBases: 5,
        documents: 50,
        bytes: 1_000_000,
        ...given,
      });
      return { organizationId, projectId, developer: self.member(organizationId, 'DEVELOPER') };
    },
    member: (organizationId: Uuid, role: Role = 'MEMBER'): Caller => userCaller([{ organizationId, role }]),
    async graph(caller: Caller, query: string, variables: object = {}): Promise<GraphAnswer> {
      return (await request(caller, { query, variables }, 'application/json')).json() as Promise<GraphAnswer>;
    },
    /** The same, where any error is the test's failure. */
    async data<T>(caller: Caller, query: string, variables: object = {}): Promise<T> {
      const answer = await self.graph(caller, query, variables);
      if (answer.errors) throw new Error(JSON.stringify(answer.errors));
      return answer.data as T;
    },
    async command<T>(caller: Caller, name: keyof typeof commands, input: object): Promise<T> {
      const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
      const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${commands[name]} errors { code field message } } }`;
      return (await self.data<Record<string, T>>(caller, query, { input }))[name]!;
    },
    create: (
      { projectId, developer }: Project,
      input: object = {},
      caller = developer,
    ): Promise<BasePayload> =>
      self.command(caller, 'knowledgeBaseCreate', {
        projectId: toGlobalId('Project', projectId),
        name: 'Manuals',
        idempotencyKey: uuidv7(),
        ...input,
      }),
    /** A base of the project that is ready; answers its global id. */
    async base(project: Project): Promise<string> {
      const { id } = (await self.create(project)).knowledgeBase!;
      await self.becomes(id, 'READY');
      return id;
    },
    /** Waits until a base is in that state. */
    becomes: (id: string, state: string): Promise<void> =>
      vi.waitFor(
        async () => {
          const [row] = await self.rows<{ state: string }>('select state from knowledge_base where id = $1', [
            uuidOf(id),
          ]);
          if (row?.state !== state) throw new Error(`the base is ${row?.state}`);
        },
        { timeout: 60_000, interval: 10 },
      ),
    init: (caller: Caller, knowledgeBaseId: string, text: string, input: object = {}): Promise<InitPayload> =>
      self.command(caller, 'documentUploadInit', {
        knowledgeBaseId,
        name: 'shipping.md',
        contentType: 'text/markdown',
        sizeBytes: Buffer.byteLength(text),
        sha256: sha256Of(text),
        ...input,
      }),
    put: (upload: SeenUpload, text: string): Promise<Response> =>
      fetch(upload.url, {
        method: upload.method,
        headers: Object.fromEntries(upload.headers.map(({ name, value }) => [name, value])),
        body: text,
      }),
    /** Announces a file and uploads it; answers the document's global id. */
    async upload(
      caller: Caller,
      knowledgeBaseId: string,
      text: string,
      name = 'shipping.md',
    ): Promise<string> {
      const { document, upload, errors } = await self.init(caller, knowledgeBaseId, text, { name });
      if (!document || !upload) throw new Error(JSON.stringify(errors));
      const answer = await self.put(upload, text);
      if (!answer.ok) throw new Error(await answer.text());
      return document.id;
    },
    ingest: (caller: Caller, documentId: string, more: object = {}): Promise<DocumentPayload> =>
      self.command(caller, 'documentIngest', { documentId, ...more }),
    delete: (caller: Caller, documentId: string): Promise<DocumentPayload> =>
      self.command(caller, 'documentDelete', { documentId }),
    async document(caller: Caller, id: string): Promise<SeenDocument | null> {
      const { _entities } = await self.data<{ _entities: (SeenDocument | null)[] }>(
        caller,
        `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Document { ${documentFields} } } }`,
        { r: [{ __typename: 'Document', id }] },
      );
      return _entities[0]!;
    },
    /** `documentChanged`, as it comes until the signal aborts. */
    async *changes(
      caller: Caller,
      knowledgeBaseId: string,
      signal: AbortSignal,
    ): AsyncGenerator<SeenDocument> {
      const query = `subscription ($id: ID!) { documentChanged(knowledgeBaseId: $id) { ${documentFields} } }`;
      const answer = await request(
        caller,
        { query, variables: { id: knowledgeBaseId } },
        'text/event-stream',
        signal,
      );
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      const cancel = (): void => void reader.cancel().catch(() => undefined);
      signal.addEventListener('abort', cancel);
      for (let text = ''; ;) {
        const { done, value } = await reader.read();
        if (done) return;
        const blocks = (text + value).split('\n\n');
        text = blocks.pop()!;
        for (const block of blocks) {
          const payload = /^event: next\ndata: (.*)$/m.exec(block)?.[1];
          if (payload === undefined) continue;
          const { data, errors } = JSON.parse(payload) as {
            data?: { documentChanged: SeenDocument };
            errors?: object[];
          };
          if (errors) throw new Error(JSON.stringify(errors));
          yield data!.documentChanged;
        }
      }
    },
    /** Whether something lies in storage under a document's key. */
    async isStored(documentId: string): Promise<boolean> {
      const [row] = await self.rows<{ key: string }>(
        `select concat_ws('/', organization_id, project_id, knowledge_base_id, id) as key from document where id = $1`,
        [uuidOf(documentId)],
      );
      return row !== undefined && stored(dir).includes(row.key);
    },
    storedKeys: (): string[] => stored(dir),
    /** Behind row-level security, as the superuser. */
    async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
      const client = new pg.Client({ connectionString: made.adminUrl, options: '-c search_path=rag,public' });
      await client.connect();
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
  return self;
}
export type RagApp = Awaited<ReturnType<typeof startRagApp>>;

/** Keys of what the dev S3 keeps. */
function stored(dir: string): string[] {
  const entries = path.join(dir, 'knowledge/objects');
  return fs
    .readdirSync(entries)
    .filter((file) => file.endsWith('.json'))
    .map((file) => (JSON.parse(fs.readFileSync(path.join(entries, file), 'utf8')) as { key: string }).key);
}

/** The UUID inside a global id of ours. */
export const uuidOf = (globalId: string): Uuid =>
  Buffer.from(globalId, 'base64url').toString().split(':')[1]!;
