import type { Surroundings } from './surroundings.ts';

/** A message that the server has not accepted yet. `conversationId` null: it begins a conversation. */
export interface Unsent {
  readonly key: string;
  readonly text: string;
  readonly conversationId: string | null;
}

/** What is kept in the browser for one widget key, shared by its tabs: nothing else is (PROTOCOL §4). */
export interface Kept {
  handle(): string | null;
  keepHandle(handle: string | null): void;
  conversationId(): string | null;
  keepConversationId(id: string | null): void;
  outbox(): readonly Unsent[];
  /** Reads, changes and writes at once, so that another tab's messages stay. */
  changeOutbox(change: (outbox: readonly Unsent[]) => readonly Unsent[]): void;
}

/** In localStorage; in memory from the moment that it refuses. */
export function keptFor(widgetKey: string, { storage }: Pick<Surroundings, 'storage'>): Kept {
  const memory = new Map<string, string | null>();
  const nameOf = (item: string) => `agentstore:${widgetKey}:${item}`;

  function read(item: string): string | null {
    const refused = memory.get(item);
    if (refused !== undefined) return refused;
    try {
      return storage().getItem(nameOf(item));
    } catch {
      return null;
    }
  }

  function write(item: string, value: string | null): void {
    try {
      if (value === null) storage().removeItem(nameOf(item));
      else storage().setItem(nameOf(item), value);
      memory.delete(item);
    } catch {
      memory.set(item, value);
    }
  }

  function outbox(): readonly Unsent[] {
    try {
      const found: unknown = JSON.parse(read('outbox') ?? '[]');
      return Array.isArray(found) ? found.filter(isUnsent) : [];
    } catch {
      return [];
    }
  }

  return {
    handle: () => read('handle'),
    keepHandle: (handle) => write('handle', handle),
    conversationId: () => read('conversation'),
    keepConversationId: (id) => write('conversation', id),
    outbox,
    changeOutbox: (change) => {
      const left = change(outbox());
      write('outbox', left.length ? JSON.stringify(left) : null);
    },
  };
}

/** The page can write there, too. */
function isUnsent(found: unknown): found is Unsent {
  const { key, text, conversationId } = (found ?? {}) as Record<string, unknown>;
  return (
    typeof key === 'string' &&
    typeof text === 'string' &&
    (conversationId === null || typeof conversationId === 'string')
  );
}
