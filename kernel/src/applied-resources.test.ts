import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { createAppliedResources, type AppliedResources } from './applied-resources.ts';
import { createServiceClient } from './http/client.ts';
import { uuidv7 } from './ids.ts';
import { silentLog } from './log.ts';
import { createAppliedWatch } from './testing/applied-watch.ts';

const kind = 'GatewayRoute';
const open: AppliedResources<{ paused: boolean }>[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((resources) => resources.stop()))));

function create() {
  const gitops = createAppliedWatch(kind);
  const resources = createAppliedResources<{ paused: boolean }>({
    gitops: createServiceClient({ name: 'gitops', baseUrl: 'http://gitops.internal', send: gitops.fetch }),
    kind,
    token: async () => 'token',
    log: silentLog,
  });
  open.push(resources);
  return { gitops, resources };
}
async function follow() {
  const followed = create();
  followed.resources.start();
  await until(() => followed.gitops.watched.length === 1);
  return followed;
}
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(check).toBe(true);
}
const [instanceId, organizationId] = [uuidv7(), uuidv7()];
const applied = (generation: number, paused: boolean) => ({
  name: 'one',
  instanceId,
  organizationId,
  generation,
  commit: 'c0ffee',
  spec: { paused },
});

it('knows what was applied, from the watch, without asking', async () => {
  const { gitops, resources } = await follow();
  gitops.apply(applied(1, false));
  gitops.apply(applied(2, true));
  await until(async () => (await resources.resourceOf(instanceId))?.generation === 2);
  const asked = gitops.got.length;
  expect(await resources.resourceOf(instanceId)).toEqual(applied(2, true));
  expect([...resources.all()]).toEqual([applied(2, true)]);
  expect(gitops.got.length).toBe(asked);
});

it('goes on after the last version seen when the watch breaks off', async () => {
  const { gitops, resources } = await follow();
  gitops.apply(applied(1, true));
  await until(async () => (await resources.resourceOf(instanceId))?.spec.paused === true);
  gitops.breakOff();
  await until(() => gitops.watched.length === 2);
  expect(gitops.watched).toEqual(['0', '1']);
  gitops.apply(applied(2, false));
  await until(async () => (await resources.resourceOf(instanceId))?.spec.paused === false);
});

it('asks once for an instance that the watch has not brought, and knows nothing of one that is not applied', async () => {
  const { gitops, resources } = create();
  gitops.apply(applied(1, false));
  expect(await resources.resourceOf(instanceId)).toEqual(applied(1, false));
  expect(gitops.got).toEqual([instanceId]);
  gitops.remove(applied(1, false));
  expect(await resources.resourceOf(instanceId)).toBeUndefined();
  expect(await resources.resourceOf(uuidv7())).toBeUndefined();
});

it('tells each change, and what is no longer applied', async () => {
  const { gitops, resources } = await follow();
  const told: unknown[] = [];
  resources.onChange((id, now) => told.push([id, now?.generation]));
  gitops.apply(applied(1, false));
  gitops.apply(applied(2, true));
  gitops.remove(applied(2, true));
  await until(() => told.length === 3);
  expect(told).toEqual([
    [instanceId, 1],
    [instanceId, 2],
    [instanceId, undefined],
  ]);
  expect([...resources.all()]).toEqual([]);
});

it('knows how long ago the watch last said something, be it that nothing changed', async () => {
  const { gitops, resources } = await follow();
  expect(resources.fresh()).toBe(Infinity);
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  gitops.bookmark();
  await until(() => resources.fresh() === 0);
  vi.advanceTimersByTime(16_000);
  expect(resources.fresh()).toBe(16_000);
  gitops.bookmark();
  await until(() => resources.fresh() === 0);
});
