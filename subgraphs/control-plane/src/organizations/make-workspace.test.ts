import { beforeAll, describe, expect, it } from 'vitest';
import { anonymous } from '@agentstore/kernel/caller';
import { serviceCaller } from '@agentstore/kernel/testing/callers';
import { startControlPlane, type ControlPlane } from '../testing/control-plane-app.ts';

let app: ControlPlane;
beforeAll(async () => void (app = await startControlPlane()));

const workspaceAuto =
  'mutation { workspaceAuto(input: {}) { organization { id } project { id } errors { code } } }';

describe('workspaceAuto', () => {
  it('makes one organization, project and trial, however many ask at once', async () => {
    const person = await app.signIn();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.data<{ workspaceAuto: object }>(person, workspaceAuto)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const { memberships } = await app.signIn({ subject: person.subject, email: person.email });
    expect(memberships).toEqual([{ organizationId: expect.any(String) as string, role: 'OWNER' }]);
    const { organizationId } = memberships[0]!;
    expect(app.billing.grantsOf(organizationId)).toEqual([
      {
        organizationId,
        kind: 'TRIAL',
        key: `trial:${organizationId}`,
        credits: '100000000',
        expiresAfterDays: 30,
      },
    ]);
  });

  it('answers while billing is down, and the trial follows when it is back', async () => {
    app.billing.down = true;
    const { organizationId } = await app.withWorkspace().finally(() => (app.billing.down = false));
    await expect.poll(() => app.billing.grantsOf(organizationId)).toHaveLength(1);
  });

  it('is for people', async () => {
    expect((await app.graph(anonymous, workspaceAuto)).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    expect((await app.graph(serviceCaller('callers:resolve'), workspaceAuto)).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
  });
});

it('a store without trial credits makes workspaces all the same and asks billing for nothing', async () => {
  const free = await startControlPlane({ trial: { credits: 0n, days: 30 } });
  const { organizationId } = await free.withWorkspace();
  expect(organizationId).toBeDefined();
  expect(free.billing.calls).toBe(0);
  expect(await free.rows('select from outbox')).toEqual([]);
});
