/** Verified artifacts by sha256, in memory, up to a size: the least recently used go first. */
export interface ArtifactCache {
  get(sha256: string): Buffer | undefined;
  put(sha256: string, bytes: Buffer): void;
}

export function createArtifactCache(maxBytes: number): ArtifactCache {
  const held = new Map<string, Buffer>();
  let size = 0;
  return {
    get(sha256) {
      const bytes = held.get(sha256);
      if (bytes) {
        held.delete(sha256);
        held.set(sha256, bytes);
      }
      return bytes;
    },
    put(sha256, bytes) {
      if (held.has(sha256) || bytes.length > maxBytes) return;
      held.set(sha256, bytes);
      size += bytes.length;
      for (const [oldest, old] of held) {
        if (size <= maxBytes) break;
        held.delete(oldest);
        size -= old.length;
      }
    },
  };
}
