import fs from 'node:fs';

/** Notes for the report of a whole proof (`.ci/run`) that a test ran against a real server: its name and version. */
export function noteRealServer(name: string): void {
  const file = process.env['REAL_SERVERS_FILE'];
  if (file) fs.appendFileSync(file, `${name}\n`);
}
