import fs from 'node:fs';
import path from 'node:path';
import { execute, parse, type GraphQLSchema } from 'graphql';
import { sdlDirectory, subgraphNames } from './subgraphs.ts';

/** `npm run schema:print`: writes the SDL of every subgraph of ours. `--check` fails when a checked-in one is stale. */
const check = process.argv.includes('--check');
const stale: string[] = [];
fs.mkdirSync(sdlDirectory, { recursive: true });

for (const name of subgraphNames) {
  const { buildSchema } = (await import(
    path.join(import.meta.dirname, '../subgraphs', name, 'src/schema.ts')
  )) as { buildSchema: () => GraphQLSchema };
  const result = await execute({ schema: buildSchema(), document: parse('{ _service { sdl } }') });
  const { sdl } = (result.data as unknown as { _service: { sdl: string } })._service;
  const file = path.join(sdlDirectory, `${name}.graphql`);
  const text = `${sdl.trim()}\n`;
  const same = fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text;
  if (!same && check) stale.push(name);
  else if (!same) {
    fs.writeFileSync(file, text);
    process.stdout.write(`printed ${name}\n`);
  }
}
if (stale.length) {
  process.stderr.write(`The SDL of ${stale.join(', ')} is stale: run npm run schema:print\n`);
  process.exitCode = 1;
}
