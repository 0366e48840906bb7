import fs from 'node:fs';

/**
 * The store's log in a file. A line is in the file when its call returns: what a failing start says last is there for who is told to read it. A full file
 * becomes `<file>.1`, in place of the former one.
 */
export function logFile(file: string, options: { maxBytes?: number } = {}): { write(line: string): void } {
  const maxBytes = options.maxBytes ?? 20 * 1024 * 1024;
  let handle = fs.openSync(file, 'a', 0o600);
  let size = fs.fstatSync(handle).size;
  return {
    write(line) {
      try {
        size += fs.writeSync(handle, line);
        if (size < maxBytes) return;
        fs.renameSync(file, `${file}.1`);
        fs.closeSync(handle);
        handle = fs.openSync(file, 'a', 0o600);
        size = 0;
      } catch {
        // A full disk must not stop the store for its log.
      }
    },
  };
}
