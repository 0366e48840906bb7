import { z } from 'zod';
import { code, enveloped, Refusal } from './envelope.ts';
import { freeName, newId, type RagflowDataset, type RagflowState } from './state.ts';

const created = z.object({
  name: z.string().trim().min(1).max(128),
  description: z.string().max(65_535).nullish(),
  permission: z.enum(['me', 'team']).default('me'),
  chunk_method: z.literal('naive').default('naive'),
  parser_config: z.looseObject({}).optional(),
});

/** `POST /datasets`. */
export function create(state: RagflowState, body: unknown, now: number): Response {
  const read = created.safeParse(body);
  if (!read.success) throw new Refusal(code.argument, z.prettifyError(read.error));
  const taken = [...state.values()].map(({ name }) => name);
  const dataset: RagflowDataset = {
    id: newId(),
    name: freeName(read.data.name, taken),
    description: read.data.description ?? null,
    createdAt: now,
    documents: new Map(),
  };
  state.set(dataset.id, dataset);
  return enveloped(described(dataset));
}

/** `GET /datasets`: all, or by id or name, which must be there then. */
export function list(state: RagflowState, query: URLSearchParams): Response {
  const id = query.get('id');
  const name = query.get('name');
  const found = [...state.values()].filter(
    (dataset) =>
      (id === null || dataset.id === id) &&
      (name === null || dataset.name.toLowerCase() === name.toLowerCase()),
  );
  if (!found.length && (id ?? name) !== null) throw lacking([(id ?? name)!]);
  return enveloped(found.map(described), { total_datasets: found.length });
}

/** `DELETE /datasets`: no ids, nothing happens; one that is not there, nothing either, and a refusal. */
export function remove(state: RagflowState, body: unknown): Response {
  const read = z.object({ ids: z.array(z.string()).max(100).nullish() }).safeParse(body ?? {});
  if (!read.success) throw new Refusal(code.argument, z.prettifyError(read.error));
  const ids = read.data.ids ?? [];
  const missing = ids.filter((id) => !state.has(id));
  if (missing.length) throw lacking(missing);
  for (const id of ids) state.delete(id);
  return enveloped({ success_count: ids.length });
}

const lacking = (ids: readonly string[]): Refusal =>
  new Refusal(code.data, `User 'double' lacks permission for datasets: '${ids.join(', ')}'`);

const described = (dataset: RagflowDataset): object => ({
  id: dataset.id,
  name: dataset.name,
  description: dataset.description,
  permission: 'me',
  chunk_method: 'naive',
  document_count: dataset.documents.size,
  create_time: dataset.createdAt,
});
