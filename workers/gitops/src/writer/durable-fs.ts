import fs from 'node:fs/promises';
import { randomBytes } from 'node:crypto';

/** fs for isomorphic-git whose files are whole and on disk when writeFile resolves: written aside, synced, renamed. */
export const durableFs = {
  promises: {
    ...fs,
    async writeFile(file: string, data: string | Uint8Array): Promise<void> {
      const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
      const handle = await fs.open(draft, 'w', 0o644);
      try {
        await handle.writeFile(data);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(draft, file);
    },
  },
};
