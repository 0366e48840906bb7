import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '@agentstore/kernel/db/database';
import { openGitops, until, type Gitops } from '../testing/gitops-app.ts';

let gitops: Gitops;
beforeEach(async () => void (gitops = await openGitops()));

const commits = async (): Promise<string[]> =>
  (await gitops.repository.tip()) ? (await gitops.repository.log(99)).map(({ message }) => message) : [];
const firstLines = async () => (await commits()).map((message) => message.split('\n')[0]);
const committed = (id: string) => gitops.controlPlane.instances.get(id)!.committed;

describe('the writer of the branch', () => {
  it('commits what is in line as one batch, and each instance is told its commit', async () => {
    const { controlPlane } = gitops;
    const ids = Array.from({ length: 5 }, () => controlPlane.request());
    await gitops.start();
    await until(() => ids.every((id) => controlPlane.isReady(id)));
    expect(await firstLines()).toEqual(['provision(dev): 5 instances [5 orgs]']);
    const tip = await gitops.repository.tip();
    for (const id of ids) expect(committed(id)).toEqual([tip]);
  });

  it('is one of all processes: the others stand by, and one of them goes on where it stopped', async () => {
    const { controlPlane } = gitops;
    const first = await gitops.start();
    const id = controlPlane.request();
    await until(() => controlPlane.isReady(id));
    await gitops.start();
    await until(() => controlPlane.claims.length > 10);
    expect(new Set(controlPlane.claims).size).toBe(1);
    await gitops.stop(first);
    controlPlane.change(id, { phase: 'Paused' });
    await until(() => controlPlane.isReady(id, 2));
    expect(new Set(controlPlane.claims).size).toBe(2);
  });

  it('writes nothing once it has lost the lease, however far it got', async () => {
    const { controlPlane } = gitops;
    const id = controlPlane.request();
    let claims = 0;
    controlPlane.beforeClaim = async () => {
      claims += 1;
      controlPlane.beforeClaim = undefined;
      await gitops.rows(
        "update writer_lease set holder = 'another', fence = fence + 1, until = now() + interval '1 hour'",
      );
    };
    const app = await gitops.start();
    await until(() => controlPlane.claims.length === 1);
    await gitops.stop(app); // waits for the round under way
    expect([claims, await commits(), committed(id)]).toEqual([1, [], []]);
    await gitops.rows('update writer_lease set until = now()');
    await gitops.start();
    await until(() => controlPlane.isReady(id));
    expect(await commits()).toHaveLength(1);
  });

  it('makes no second commit when it died between moving the branch and noting it', async () => {
    const { controlPlane } = gitops;
    const id = controlPlane.request();
    let deaths = 0;
    const dying = failing(gitops.database, (sql) => sql.startsWith('-- noteCommitted') && deaths++ < 2);
    await gitops.start({ db: dying });
    await until(() => committed(id).length === 1);
    expect(deaths).toBeGreaterThan(2);
    expect(await firstLines()).toEqual(['provision(dev): 1 instance [1 org]']);
    expect(committed(id)).toEqual([await gitops.repository.tip()]);
  });

  it('takes the folder of a terminated instance away with a commit of its own', async () => {
    const { controlPlane } = gitops;
    const id = controlPlane.request();
    const app = await gitops.start();
    await until(() => controlPlane.isReady(id));
    const [added] = await gitops.watch(app, 'kind=GatewayRoute', 1);
    expect(added).toMatchObject({ type: 'MODIFIED', object: { instanceId: id, generation: 1 } });
    controlPlane.change(id, { phase: 'Terminated' });
    await until(async () => (await commits()).length === 3);
    expect(await firstLines()).toEqual([
      'remove(dev): 1 instance',
      'provision(dev): 1 instance [1 org]',
      'provision(dev): 1 instance [1 org]',
    ]);
    expect(await gitops.repository.blobsIn(gitops.folderOf(id))).toEqual(new Map());
    await until(async () => (await gitops.get(app, `/applied/GatewayRoute/${id}`)).status === 404);
    const since = added!.resourceVersion;
    const seen = await gitops.watch(app, `kind=GatewayRoute&since=${since}`, 1);
    expect(seen).toMatchObject([{ type: 'DELETED', object: { instanceId: id } }]);
  });

  it('says which instances wait while somebody else has the branch locked, and writes them when it is free', async () => {
    const { controlPlane } = gitops;
    const lock = path.join(gitops.directory, 'refs/heads/main.lock');
    fs.mkdirSync(path.dirname(lock), { recursive: true });
    fs.writeFileSync(lock, '');
    const id = controlPlane.request();
    await gitops.start();
    await until(() => controlPlane.delayed.length > 0);
    expect(controlPlane.delayed).toEqual([{ instanceId: id, reason: 'REPOSITORY_LOCKED' }]);
    expect(committed(id)).toEqual([]);
    fs.rmSync(lock);
    await until(() => controlPlane.isReady(id));
  });
});

describe('a branch that drifted from what is desired', () => {
  it('is put right, whoever changed, took away or lost a file of it', async () => {
    const { controlPlane } = gitops;
    const [changed, emptied, lost, good] = [1, 2, 3, 4].map(() => controlPlane.request());
    await gitops.start({ sweepEveryMs: 50 });
    await until(() => [changed!, emptied!, lost!, good!].every((id) => controlPlane.isReady(id)));
    const text = (id: string) => gitops.repository.blobsIn(gitops.folderOf(id));
    const before = await Promise.all([changed!, emptied!, lost!].map(text));
    expect(controlPlane.drifted).toEqual([]);
    await gitops.push(
      new Map([
        [`${gitops.folderOf(changed!)}/gatewaypolicy.yaml`, '# loosened by hand\n'],
        [`${gitops.folderOf(emptied!)}/connectorpolicy.yaml`, null],
        [`${gitops.folderOf(lost!)}/`, null],
      ]),
    );
    await until(async () => {
      const now = await Promise.all([changed!, emptied!, lost!].map(text));
      return JSON.stringify(now.map((one) => [...one])) === JSON.stringify(before.map((one) => [...one]));
    });
    expect([...new Set(controlPlane.drifted)].sort()).toEqual([changed!, emptied!, lost!].sort());
  });

  it('keeps a newer generation than the one that comes late', async () => {
    const { controlPlane } = gitops;
    const id = controlPlane.request({ generation: 5 });
    const app = await gitops.start();
    await until(() => controlPlane.isReady(id, 5));
    const blobs = await gitops.repository.blobsIn(gitops.folderOf(id));
    controlPlane.change(id, { phase: 'Paused' }, 4);
    await until(() => committed(id).length === 2);
    await gitops.stop(app);
    expect(await gitops.repository.blobsIn(gitops.folderOf(id))).toEqual(blobs);
    expect(await commits()).toHaveLength(1);
  });
});

/** The database, whose statements that `dies` answers true for fail as when a process goes away in the middle. */
const failing = (db: Database, dies: (sql: string) => boolean): Database => ({
  ...db,
  transaction: (scope, work) =>
    db.transaction(scope, (tx) =>
      work({
        scope: tx.scope,
        orm: tx.orm,
        sql: (text, values) => {
          if (dies(text)) throw new Error('gone');
          return tx.sql(text, values);
        },
      }),
    ),
});
