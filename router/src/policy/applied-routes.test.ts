import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { createGitops } from '../testing/neighbours.ts';
import { createAppliedRoutes, type AppliedRoutes } from './applied-routes.ts';

const open: AppliedRoutes[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((routes) => routes.stop()))));

function follow() {
  const gitops = createGitops();
  const client = createServiceClient({
    name: 'gitops',
    baseUrl: 'http://gitops.internal',
    send: gitops.fetch,
  });
  const routes = createAppliedRoutes(client, async () => 'token', silentLog);
  routes.start();
  open.push(routes);
  return { gitops, routes };
}
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300 && !(await check()); tries++) await sleep(10);
  expect(await check()).toBe(true);
}
const [instanceId, organizationId] = [uuidv7(), uuidv7()];

it('knows what was applied, from the watch, without asking', async () => {
  const { gitops, routes } = follow();
  await until(() => gitops.watched.length === 1);
  gitops.apply(instanceId, organizationId, 'Active');
  gitops.apply(instanceId, organizationId, 'Paused');
  await until(async () => (await routes.routeOf(instanceId))?.spec.paused === true);
  const asked = gitops.got.length;
  expect(await routes.routeOf(instanceId)).toMatchObject({
    organizationId,
    spec: { desiredPhase: 'Paused' },
  });
  expect(gitops.got.length).toBe(asked);
});

it('goes on after the last version seen when the watch breaks off', async () => {
  const { gitops, routes } = follow();
  await until(() => gitops.watched.length === 1);
  gitops.apply(instanceId, organizationId, 'Paused');
  await until(async () => (await routes.routeOf(instanceId))?.spec.paused === true);
  gitops.breakOff();
  await until(() => gitops.watched.length === 2);
  expect(gitops.watched).toEqual(['0', '1']);
  gitops.apply(instanceId, organizationId, 'Active');
  await until(async () => (await routes.routeOf(instanceId))?.spec.paused === false);
});

it('asks once for an instance that the watch has not brought, and knows nothing of one that is not applied', async () => {
  const gitops = createGitops();
  const client = createServiceClient({
    name: 'gitops',
    baseUrl: 'http://gitops.internal',
    send: gitops.fetch,
  });
  const routes = createAppliedRoutes(client, async () => 'token', silentLog);
  gitops.apply(instanceId, organizationId, 'Active');
  expect(await routes.routeOf(instanceId)).toMatchObject({ spec: { desiredPhase: 'Active' } });
  gitops.apply(instanceId, organizationId, 'Terminated', 'DELETED');
  expect(await routes.routeOf(instanceId)).toBeUndefined();
  expect(await routes.routeOf(uuidv7())).toBeUndefined();
});
