import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { FlowError, parseFlow, type Flow } from './flow.ts';

/** An uploaded flow. */
export interface StoredFlow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly flow: Flow;
}

/** Flows by id, in memory and in one file each, so that they are served again after a restart. */
export interface FlowStore {
  get(id: string): StoredFlow | undefined;
  all(): StoredFlow[];
  /** Stores and answers the flow. Throws `FlowError` when it cannot be built. */
  put(upload: { id: string; name: string; description: string | null; data: unknown }): Promise<StoredFlow>;
  remove(id: string): Promise<boolean>;
}

export async function openFlowStore(directory: string): Promise<FlowStore> {
  await fs.mkdir(directory, { recursive: true });
  const flows = new Map<string, StoredFlow>();
  for (const file of await fs.readdir(directory)) {
    if (!file.endsWith('.json')) continue;
    const { id, name, description, data } = JSON.parse(
      await fs.readFile(path.join(directory, file), 'utf8'),
    ) as StoredFlow & { data: unknown };
    try {
      flows.set(id, { id, name, description, flow: parseFlow(data) });
    } catch (error) {
      if (!(error instanceof FlowError)) throw error; // a flow of an older version that is no longer understood is not served
    }
  }
  return {
    get: (id) => flows.get(id),
    all: () => [...flows.values()],
    async put({ id, name, description, data }) {
      const stored = { id, name, description, flow: parseFlow(data) };
      const file = path.join(directory, `${id}.json`);
      const temporary = `${file}.${randomUUID()}.new`;
      await fs.writeFile(temporary, JSON.stringify({ id, name, description, data }), { flush: true });
      await fs.rename(temporary, file);
      flows.set(id, stored);
      return stored;
    },
    async remove(id) {
      if (!flows.delete(id)) return false;
      await fs.rm(path.join(directory, `${id}.json`), { force: true });
      return true;
    },
  };
}
