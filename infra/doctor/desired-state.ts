import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { openRepository } from '@agentstore/gitops/writer/repository';
import type { Check } from './check.ts';
import { connected, list } from './database.ts';

/** A change that was asked for a moment ago is committed within this time. */
const onTheWayMs = 2_000;

/** The file in its folder that says at which generation an instance or a knowledge base is in Git. */
const generationFile = /\/([0-9a-f-]{36})\/(?:gatewayroute|knowledgebase)\.yaml$/;
const manifestSchema = z.object({ spec: z.object({ generation: z.number() }) });

interface Wanted {
  readonly what: string;
  readonly id: string;
  readonly generation: number;
}

/** The branch of desired state: readable, not left locked, and what the database says was committed. */
export function desiredStateCheck(options: {
  databaseUrl: string;
  directory: string;
  branch: string;
}): Check {
  return {
    name: 'desired state',
    mend: 'see that gitops runs and the repository may be written; a lock left behind is taken away after a minute (docs/runbook.md, the repository is locked)',
    async look() {
      if (!fs.existsSync(path.join(options.directory, 'HEAD')))
        throw new Error(`there is no repository at ${options.directory}`);
      let found = await compare(options);
      if (found.behind.length) {
        await sleep(onTheWayMs);
        found = await compare(options);
      }
      if (found.behind.length)
        throw new Error(`${found.behind.length} are not in Git as they should be: ${list(found.behind)}`);
      return `${found.wanted} instances and knowledge bases, commit ${found.tip?.slice(0, 12) ?? 'none yet'}`;
    },
  };
}

async function compare(options: {
  databaseUrl: string;
  directory: string;
  branch: string;
}): Promise<{ tip: string | undefined; wanted: number; behind: string[] }> {
  const wanted = await connected(options.databaseUrl, async (client) => {
    const { rows } = await client.query<Wanted>(
      `select 'instance' as what, id, desired_generation as generation from control_plane.instance where state <> 'TERMINATED'
       union all select 'knowledge base', id, desired_generation from rag.knowledge_base where desired_phase = 'Active'`,
    );
    return rows;
  });
  const repository = await openRepository(options);
  const tip = await repository.tip();
  const inGit = new Map<string, number>();
  for (const [file, text] of tip ? await repository.diff(undefined, tip) : []) {
    const id = generationFile.exec(file)?.[1];
    if (id && text) inGit.set(id, manifestSchema.parse(parse(text)).spec.generation);
  }
  const behind = wanted
    .filter(({ id, generation }) => inGit.get(id) !== generation)
    .map(
      ({ what, id, generation }) => `${what} ${id} at ${generation}, in Git ${inGit.get(id) ?? 'not at all'}`,
    );
  return { tip, wanted: wanted.length, behind };
}
