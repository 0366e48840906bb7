import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { uuidv7 } from '@agentstore/kernel/ids';
import { openGitops, until, type Gitops } from '../testing/gitops-app.ts';

let gitops: Gitops;
let app: App;
beforeAll(async () => {
  gitops = await openGitops();
  // What is taken away by hand here stays away, however late the first sweep comes.
  gitops.controlPlane.sweeping = false;
  app = await gitops.start();
});

describe('the report of one instance', () => {
  it.each([
    ['the control plane does not know', 404],
    ['the control plane refuses', 400],
    ['makes the control plane fail', 500],
  ])('that %s holds up no other one', async (_name, status) => {
    const { controlPlane } = gitops;
    const bad = uuidv7();
    controlPlane.refusing.set(bad, status);
    controlPlane.request({ instanceId: bad });
    await until(() => controlPlane.instances.get(bad)!.committed.length === 1);
    const good = controlPlane.request();
    await until(() => controlPlane.isReady(good));
    const told = async () =>
      (
        await gitops.rows<{ told: boolean }>(
          'select told_version > 0 as told from report where instance_id = $1',
          [bad],
        )
      )[0]?.told;
    // What is unknown stays so; everything else is told again.
    if (status === 404) await until(async () => (await told()) === true);
    controlPlane.refusing.delete(bad);
    if (status !== 404) await until(() => controlPlane.isReady(bad));
    expect(controlPlane.isReady(bad)).toBe(status !== 404);
  });
});

describe('a repository that is not the one applied last', () => {
  it('is applied from scratch: what it does not hold is gone', async () => {
    const { controlPlane } = gitops;
    const [kept, gone] = [controlPlane.request(), controlPlane.request()];
    await until(() => controlPlane.isReady(kept) && controlPlane.isReady(gone));
    await gitops.rows("update applier_position set commit = repeat('f', 40)");
    await gitops.push(new Map([[`${gitops.folderOf(gone)}/`, null]]));
    await until(async () => (await gitops.get(app, `/applied/GatewayRoute/${gone}`)).status === 404);
    expect((await gitops.get(app, `/applied/GatewayRoute/${kept}`)).status).toBe(200);
  });
});

describe('the watch', () => {
  it('says everything there is, page by page, before it waits', async () => {
    await gitops.rows(
      `insert into applied_resource (kind, instance_id, name, organization_id, folder, spec, generation, commit, conditions)
       select 'ConnectorPolicy', gen_random_uuid(), 'x', gen_random_uuid(), 'nowhere', '{"desiredPhase": "Active"}', 1, 'c',
         '[{"type": "Ready", "status": "True", "observedGeneration": 1}]' from generate_series(1, 2500)`,
    );
    const events = await gitops.watch(app, 'kind=ConnectorPolicy', 2_500);
    expect(new Set(events.map(({ object }) => object.instanceId)).size).toBe(2_500);
    const versions = events.map(({ resourceVersion }) => BigInt(resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => (a < b ? -1 : 1)));
  });
});
