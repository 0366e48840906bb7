/** Which answers were seen, in this tab or another one. */
export interface Unread {
  /** An answer ended here. */
  ended(runId: string): void;
  /** The panel is seen, here: so are the answers. */
  open(): void;
  close(): void;
  /** Of another tab. */
  heard(news: UnreadNews): void;
  clear(): void;
}

export interface UnreadNews {
  readonly seen?: readonly string[];
  readonly unseen?: string;
}

export function countUnread(tell: (count: number) => void, post: (news: UnreadNews) => void): Unread {
  const seen = new Set<string>();
  const unseen = new Set<string>();
  let isOpen = false;

  function see(runIds: readonly string[]): void {
    for (const id of runIds) {
      seen.add(id);
      unseen.delete(id);
    }
    tell(unseen.size);
  }

  function add(runId: string): boolean {
    if (seen.has(runId) || unseen.has(runId)) return false;
    if (!isOpen) unseen.add(runId);
    else seen.add(runId);
    tell(unseen.size);
    return true;
  }

  return {
    ended: (runId) => {
      if (add(runId)) post(isOpen ? { seen: [runId] } : { unseen: runId });
    },
    open: () => {
      isOpen = true;
      const now = [...unseen];
      see(now);
      if (now.length) post({ seen: now });
    },
    close: () => {
      isOpen = false;
    },
    heard: ({ seen: there = [], unseen: runId }) => {
      see(there);
      if (runId && add(runId) && isOpen) post({ seen: [runId] });
    },
    clear: () => {
      seen.clear();
      unseen.clear();
      tell(0);
    },
  };
}
