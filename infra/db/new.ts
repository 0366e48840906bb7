import fs from 'node:fs';
import path from 'node:path';
import { findMigrations } from '@agentstore/kernel/db/migrate';

/** `npm run db:new -- <schema> <what_it_does>`: an empty migration with the next number in its owner's folder. */
const root = path.join(import.meta.dirname, '../..');
const [schema, intent] = process.argv.slice(2);
const source = findMigrations(root).find((one) => one.schema === schema);

if (!source || !intent || !/^[a-z0-9_]+$/.test(intent)) {
  const schemas = findMigrations(root).map((one) => one.schema);
  process.stderr.write(
    `Usage: npm run db:new -- <schema> <what_it_does>\nSchemas: ${schemas.join(', ')}. The intent is lower case with underscores.\n`,
  );
  process.exit(2);
}
const last = Math.max(0, ...fs.readdirSync(source.directory).map((name) => Number.parseInt(name, 10) || 0));
const file = path.join(source.directory, `${String(last + 1).padStart(4, '0')}_${intent}.sql`);
fs.writeFileSync(file, '-- Why this change, and what old processes see while it runs.\n');
process.stdout.write(`${path.relative(root, file)}\n`);
