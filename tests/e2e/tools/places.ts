import fs from 'node:fs';
import path from 'node:path';
import git from 'isomorphic-git';
import pg from 'pg';
import type { Part } from './find-secret.ts';

/** Keeps what is written to it: the destination of a log, or what a process says. */
export function recorder(where: string): Iterable<Part> & { write(text: string | Uint8Array): void } {
  const chunks: Buffer[] = [];
  return {
    write: (text) => void chunks.push(Buffer.from(text)),
    *[Symbol.iterator]() {
      yield { where, content: Buffer.concat(chunks) };
    },
  };
}

/** Values as JSON: run events, answers and errors of the graph. */
export const valuesOf = (where: string, values: readonly unknown[]): Part[] =>
  values.map((value, index) => ({ where: `${where} ${index}`, content: JSON.stringify(value) ?? '' }));

/** What is searched of a finished span; OpenTelemetry's ReadableSpan has it. */
interface FinishedSpan {
  readonly name: string;
  readonly attributes: object;
  readonly events: readonly object[];
  readonly links: readonly object[];
  readonly status: object;
  readonly resource: { readonly attributes: object };
  readonly instrumentationScope: object;
}

/** Finished spans of an in-memory exporter, with all that is exported of them. */
export const spans = (finished: readonly FinishedSpan[]): Part[] =>
  finished.map(({ name, attributes, events, links, status, resource, instrumentationScope }) => ({
    where: `span ${name}`,
    content: JSON.stringify([
      name,
      attributes,
      events,
      links,
      status,
      resource.attributes,
      instrumentationScope,
    ]),
  }));

/**
 * A whole database as the superuser: every row of every table and materialized view of every schema but the system's own, as JSON and its bytea
 * members as bytes too; large objects; the sources of functions.
 */
export async function* database(adminUrl: string): AsyncGenerator<Part, void, void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string; bytea: string[] }>(
      `select c.oid::regclass::text as name,
         array(select quote_ident(attname) from pg_attribute a where a.attrelid = c.oid and a.atttypid = 'bytea'::regtype and not a.attisdropped) as bytea
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%' order by 1`,
    );
    for (const { name, bytea } of tables) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`);
      yield { where: `table ${name}`, content: rows.map(({ row }) => row).join('\n') };
      for (const column of bytea) {
        const held = await client.query<{ bytes: Buffer }>(
          `select ${column} as bytes from ${name} where ${column} is not null`,
        );
        for (const { bytes } of held.rows) yield { where: `table ${name}, ${column}`, content: bytes };
      }
    }
    const { rows: objects } = await client.query<{ oid: string; bytes: Buffer }>(
      'select oid::text, lo_get(oid) as bytes from pg_largeobject_metadata',
    );
    for (const { oid, bytes } of objects) yield { where: `large object ${oid}`, content: bytes };
    const { rows: functions } = await client.query<{ name: string; source: string }>(
      `select p.oid::regprocedure::text as name, p.prosrc as source from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname not in ('pg_catalog', 'information_schema')`,
    );
    for (const { name, source } of functions) yield { where: `function ${name}`, content: source };
  } finally {
    await client.end();
  }
}

/** Every object of a bare repository, reachable or not, loose or packed, as it is when unpacked; and its other files (refs, logs, configuration). */
export async function* repository(gitdir: string): AsyncGenerator<Part, void, void> {
  for (const oid of await objectIds(gitdir)) {
    const { object, type } = await git.readObject({ fs, gitdir, oid, format: 'content' });
    yield { where: `Git ${type} ${oid}`, content: object as Uint8Array };
  }
  for (const part of files(gitdir))
    if (!part.where.startsWith(path.join(gitdir, 'objects') + path.sep)) yield part;
}

async function objectIds(gitdir: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const file of fs.globSync('objects/[0-9a-f][0-9a-f]/*', { cwd: gitdir }))
    if (/\/[0-9a-f]{38}$/.test(file)) ids.add(file.slice(-41).replace('/', ''));
  for (const file of fs.globSync('objects/pack/*.idx', { cwd: gitdir })) {
    // A pack's index, version 2: 8 bytes of header, 256 counts of which the last is the total, then the ids (gitformat-pack).
    const index = fs.readFileSync(path.join(gitdir, file));
    const firstId = 8 + 256 * 4;
    for (let n = 0; n < index.readUInt32BE(firstId - 4); n++)
      ids.add(index.toString('hex', firstId + n * 20, firstId + (n + 1) * 20));
  }
  return ids;
}

/**
 * Every file below a folder: the state of object storage, logs, reports. The store may be at work in it: a file that is gone when its turn comes has another
 * name by now (an object of Git is written under a temporary one), so the whole folder is looked at again.
 */
export function files(directory: string): Part[] {
  for (let looks = 1; ; looks++)
    try {
      return fs
        .readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
        .map((where) => ({
          where,
          content: Buffer.concat([Buffer.from(`${where}\n`), fs.readFileSync(where)]),
        }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || looks === 100) throw error;
    }
}

/**
 * The diagnostic report and the heap of another process, over its inspector (started with `--inspect=127.0.0.1:<port>`). Strings of the heap are whole; the
 * bytes of Buffers are outside it and not looked at.
 */
export async function* insidesOf(inspectorOrigin: string): AsyncGenerator<Part, void, void> {
  const targets = (await (await fetch(`${inspectorOrigin}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const inspector = await connectInspector(targets[0]!.webSocketDebuggerUrl);
  try {
    const evaluate = (expression: string) =>
      inspector.send<{ result: { value: string } }>('Runtime.evaluate', { expression, returnByValue: true });
    const report = await evaluate('JSON.stringify(process.report.getReport())');
    yield { where: 'diagnostic report', content: report.result.value };
    // The snapshot cuts strings after 1,024 characters unless it is told otherwise.
    await evaluate(
      "process.getBuiltinModule('node:v8').setFlagsFromString('--heap-snapshot-string-limit=1000000000')",
    );
    await inspector.send('HeapProfiler.enable', {});
    await inspector.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    yield { where: 'heap snapshot', content: Buffer.concat(inspector.chunks) };
  } finally {
    inspector.close();
  }
}

async function connectInspector(url: string) {
  const socket = new WebSocket(url);
  const chunks: Buffer[] = [];
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Answer & { id?: number; params?: { chunk?: string } };
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.params?.chunk !== undefined) chunks.push(Buffer.from(message.params.chunk));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`no inspector answers at ${url}`)));
  });
  let calls = 0;
  return {
    chunks,
    close: () => socket.close(),
    async send<T>(method: string, params: object): Promise<T> {
      const id = ++calls;
      const answer = await new Promise<Answer>((resolve, reject) => {
        waiting.set(id, resolve);
        socket.addEventListener('close', () => reject(new Error(`the process ended during ${method}`)));
        socket.send(JSON.stringify({ id, method, params }));
      });
      if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
      return answer.result as T;
    },
  };
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
