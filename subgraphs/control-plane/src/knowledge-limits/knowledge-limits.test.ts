import { beforeAll, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { catalogue, startControlPlane, uuidOf, type ControlPlane } from '../testing/control-plane-app.ts';
import { knowledgeLimits } from './knowledge-limit.ts';

const others = { knowledgeBases: 1, documents: 20, bytes: 1_000 };
let app: ControlPlane;
const catalogueWith = (entitlements: object[]) =>
  app.service.call('PUT', '/internal/catalogue', {
    ...catalogue,
    plans: catalogue.plans.map((plan) => ({ ...plan, entitlements })),
  });
beforeAll(async () => {
  app = await startControlPlane({ knowledge: others });
  await catalogueWith([
    { capability: 'knowledge', limits: { knowledgeBases: 3, documents: 50, bytes: 5_000 } },
  ]);
});
const limitsOf = (project: string): Promise<object> =>
  app.service.call('GET', `/projects/${uuidOf('Project', project)}/knowledge-limits`);

it('takes bases and bytes of all plans together, and documents of the most generous', () => {
  const plans = [
    { knowledgeBases: 1, documents: 10, bytes: 100 },
    { knowledgeBases: 2, documents: 5, bytes: 50 },
    { knowledgeBases: 'many', bytes: -1 },
  ];
  expect(knowledgeLimits(plans, others)).toEqual({ knowledgeBases: 3, documents: 10, bytes: 150 });
  expect(knowledgeLimits([], others)).toEqual(others);
});

it("says what a project's instances give it, and the store's own limits without them", async () => {
  const home = await app.withWorkspace();
  const { organizationId } = home;
  const projectId = uuidOf('Project', home.project);
  expect(await limitsOf(home.project)).toEqual({
    projectId,
    organizationId,
    organizationSlug: expect.any(String),
    projectSlug: 'default',
    ...others,
  });
  const instance = await app.activate(home.person, home.project);
  expect(await limitsOf(home.project)).toMatchObject({ knowledgeBases: 3, documents: 50, bytes: 5_000 });
  await app.rows(`update instance set desired_phase = 'Terminated' where id = $1`, [
    uuidOf('Instance', instance),
  ]);
  expect(await limitsOf(home.project)).toMatchObject(others);
});

it('is for services that may see entitlements, and knows no other project', async () => {
  const asked = (client = app.service, id: string = uuidv7()) =>
    client.call('GET', `/projects/${id}/knowledge-limits`);
  await expect(asked()).rejects.toMatchObject({ status: 404, code: 'PROJECT_NOT_FOUND' });
  await expect(asked(app.service, 'nonsense')).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' });
  await expect(asked(app.clientWith('connector:read'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
