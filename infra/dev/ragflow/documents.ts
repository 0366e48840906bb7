import { z } from 'zod';
import { code, enveloped, Refusal } from './envelope.ts';
import type { Faults } from './faults.ts';
import { isKnownFile, look, startParse } from './parse-document.ts';
import { freeName, newId, type RagflowDataset, type RagflowDocument } from './state.ts';

/** What the calls on documents work with. */
export interface DocumentRoom {
  readonly now: number;
  readonly parseMs: number;
  readonly faults: Faults;
  /** The fault of the parse that starts now. */
  readonly takeParseFault: () => NonNullable<Faults['parses']>[number] | undefined;
}

const idsOf = (body: unknown, name: 'ids' | 'document_ids'): string[] => {
  const read = z.object({ [name]: z.array(z.string()).max(100).default([]) }).safeParse(body ?? {});
  if (!read.success) throw new Refusal(code.argument, `\`${name}\` must be a list of at most 100 ids`);
  return read.data[name] as string[];
};

/** `POST …/documents`, multipart. Files that come as a URL or as nothing are not taken. */
export async function upload(
  room: DocumentRoom,
  dataset: RagflowDataset,
  request: Request,
): Promise<Response> {
  const type = new URL(request.url).searchParams.get('type');
  if (type !== null) throw new Refusal(code.argument, `The double takes no uploads of the type ${type}.`);
  const form = await request.formData().catch(() => undefined);
  const files = (form?.getAll('file') ?? []).filter((file) => file instanceof File);
  if (!files.length) throw new Refusal(code.argument, 'No file part!');
  if (room.faults.partialUpload !== undefined) return enveloped([], { message: room.faults.partialUpload });
  const unknown = files.find(({ name }) => !isKnownFile(name));
  if (unknown)
    throw new Refusal(code.server, `${unknown.name}: This type of file has not been supported yet!`);
  const added: RagflowDocument[] = [];
  for (const file of files) {
    if (Buffer.byteLength(file.name) > 255)
      throw new Refusal(code.argument, 'File name must be 255 bytes or less.');
    const taken = [...dataset.documents.values()].map(({ name }) => name);
    const document: RagflowDocument = {
      id: newId(),
      name: freeName(file.name, taken),
      bytes: new Uint8Array(await file.arrayBuffer()),
      createdAt: room.now,
      parse: undefined,
      chunks: [],
    };
    dataset.documents.set(document.id, document);
    added.push(document);
  }
  return enveloped(added.map((document) => ({ ...described(room, dataset, document), run: 'UNSTART' })));
}

/** `GET …/documents`: by id, or those whose name has the keywords, newest first. */
export function list(room: DocumentRoom, dataset: RagflowDataset, query: URLSearchParams): Response {
  const id = query.get('id');
  if (id && !dataset.documents.has(id)) throw new Refusal(code.data, `You don't own the document ${id}.`);
  const keywords = (query.get('keywords') ?? '').toLowerCase();
  const page = Number(query.get('page') ?? 1);
  const size = Number(query.get('page_size') ?? 30);
  const found = [...dataset.documents.values()]
    .filter((document) => (id ? document.id === id : document.name.toLowerCase().includes(keywords)))
    .reverse();
  const docs = found.slice((page - 1) * size, page * size).map((one) => described(room, dataset, one));
  return enveloped({ total: found.length, docs });
}

/** `POST …/chunks`: starts parsing; what runs already is refused, and the old chunks go at once. */
export function parse(room: DocumentRoom, dataset: RagflowDataset, body: unknown): Response {
  for (const document of named(dataset, body)) {
    if (look(document, room.now, room.parseMs).run === 'RUNNING')
      throw new Refusal(code.data, "Can't parse document that is currently being processed");
    startParse(document, { startedAt: room.now, fault: room.takeParseFault(), wasSeen: false });
  }
  return enveloped(undefined);
}

/** `DELETE …/chunks`: stops what runs. */
export function stop(room: DocumentRoom, dataset: RagflowDataset, body: unknown): Response {
  for (const document of named(dataset, body)) {
    if (look(document, room.now, room.parseMs).run !== 'RUNNING')
      throw new Refusal(code.data, "Can't stop parsing document that has not started or already completed");
    document.parse = 'STOPPED';
  }
  return enveloped(undefined);
}

/** `DELETE …/documents`: no ids, nothing happens. */
export function remove(dataset: RagflowDataset, body: unknown): Response {
  const ids = idsOf(body, 'ids');
  const missing = ids.filter((id) => !dataset.documents.has(id));
  if (missing.length) throw new Refusal(code.data, `Documents not found: ${missing.join(', ')}`);
  for (const id of ids) dataset.documents.delete(id);
  return enveloped({ deleted: ids.length });
}

function named(dataset: RagflowDataset, body: unknown): RagflowDocument[] {
  const ids = idsOf(body, 'document_ids');
  if (!ids.length) throw new Refusal(code.data, '`document_ids` is required');
  return ids.map((id) => {
    const document = dataset.documents.get(id);
    if (!document) throw new Refusal(code.data, `Documents not found: ['${id}']`);
    return document;
  });
}

const described = (room: DocumentRoom, dataset: RagflowDataset, document: RagflowDocument): object => ({
  ...look(document, room.now, room.parseMs),
  id: document.id,
  name: document.name,
  dataset_id: dataset.id,
  size: document.bytes.length,
  chunk_method: 'naive',
  chunk_count: document.chunks.length,
  token_count: document.chunks.reduce((sum, { content }) => sum + content.split(/\s+/).length, 0),
  create_time: document.createdAt,
});
