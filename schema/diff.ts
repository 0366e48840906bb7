import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildSchema, findBreakingChanges, findDangerousChanges, type GraphQLSchema } from 'graphql';
import { ownSubgraphs, subgraphNames } from './subgraphs.ts';

/** `npm run schema:diff [-- <revision>]`: what changed in our SDL since a Git revision (HEAD unless said), breaking changes first. */
const root = path.join(import.meta.dirname, '..');
const revision = process.argv[2] ?? 'HEAD';
const load = (sdl: string): GraphQLSchema => buildSchema(sdl, { assumeValid: true, assumeValidSDL: true });
let breaking = 0;

for (const { name, sdl } of ownSubgraphs()) {
  const before = spawnSync('git', ['show', `${revision}:schema/subgraphs/${name}.graphql`], {
    cwd: root,
    encoding: 'utf8',
  });
  if (before.error)
    throw new Error('The Git binary is needed to compare with a revision.', { cause: before.error });
  if (before.status !== 0) {
    process.stdout.write(`${name}: new\n`);
    continue;
  }
  const changes = [load(before.stdout), load(sdl)] as const;
  for (const change of findBreakingChanges(...changes)) {
    breaking += 1;
    process.stdout.write(`${name}: BREAKING ${change.description}\n`);
  }
  for (const change of findDangerousChanges(...changes))
    process.stdout.write(`${name}: dangerous ${change.description}\n`);
}
process.stdout.write(
  `${breaking} breaking change${breaking === 1 ? '' : 's'} in ${subgraphNames.length} subgraphs since ${revision}\n`,
);
process.exitCode = breaking ? 1 : 0;
