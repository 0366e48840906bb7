import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Artifact } from '../deps.ts';
import { manifestsOf, yamlOf } from '../desired/manifests.ts';
import type { Kind } from '../desired/subjects.ts';
import { openGitops, until, type Gitops } from '../testing/gitops-app.ts';
import type { Condition } from './conditions.ts';

let gitops: Gitops;
let app: App;
/** What object storage answers for an artifact by its key; everything else is there. */
const storage = new Map<string, () => Promise<boolean>>();
beforeAll(async () => {
  gitops = await openGitops();
  gitops.controlPlane.sweeping = false;
  app = await gitops.start({
    artifactIsThere: ({ key }: Artifact) => storage.get(key)?.() ?? Promise.resolve(true),
  });
});

const manifest = (id: string, kind: Kind): string =>
  yamlOf(manifestsOf(gitops.controlPlane.instances.get(id)!.state).find((one) => one.kind === kind)!);
const file = (id: string, kind: Kind) => `${gitops.folderOf(id)}/${kind.toLowerCase()}.yaml`;
const requested = async (): Promise<string> => {
  const id = gitops.controlPlane.request();
  await until(() => gitops.controlPlane.isReady(id));
  return id;
};
const reported = (id: string, kind: Kind, type: Condition['type']): Condition | undefined =>
  gitops.controlPlane
    .last(id)
    ?.resources.find((one) => one.kind === kind)
    ?.conditions.find((one) => one.type === type);
/** An instance that only Git knows of so far: its files are pushed by hand. */
const byHand = (more: { limits?: { maxRunSeconds: number; maxConcurrentRuns: number } } = {}): string => {
  const id = gitops.controlPlane.request(more);
  gitops.controlPlane.instances.get(id)!.queued = undefined;
  return id;
};
const filesOf = (id: string) =>
  (['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'] as const).map(
    (kind) => [file(id, kind), manifest(id, kind)] as const,
  );

describe('a file that is refused', () => {
  it('keeps its instance from being ready, though the others of it are, and says why', async () => {
    // 1,001 runs at once is more than a policy may allow.
    const id = gitops.controlPlane.request({ limits: { maxRunSeconds: 60, maxConcurrentRuns: 1_001 } });
    await until(() => reported(id, 'GatewayPolicy', 'Accepted')?.status === 'False');
    await until(() => reported(id, 'GatewayRoute', 'Ready')?.status === 'True');
    expect(reported(id, 'GatewayPolicy', 'Accepted')).toMatchObject({
      reason: 'Invalid',
      message: '/spec/limits/maxConcurrentRuns must be <= 1000',
      observedGeneration: 1,
    });
    expect(gitops.controlPlane.last(id)).toMatchObject({ observedGeneration: 1, resources: [{}, {}, {}] });
    expect(gitops.controlPlane.isReady(id)).toBe(false);
    // What was never accepted is in force for nobody.
    expect((await gitops.get(app, `/applied/GatewayPolicy/${id}`)).status).toBe(404);
    gitops.controlPlane.change(id, { limits: { maxRunSeconds: 60, maxConcurrentRuns: 1_000 } });
    await until(() => gitops.controlPlane.isReady(id, 2));
    expect((await gitops.get(app, `/applied/GatewayPolicy/${id}`)).status).toBe(200);
  });

  it('leaves in force what was accepted before', async () => {
    const id = await requested();
    await gitops.push(new Map([[file(id, 'GatewayRoute'), 'kind: GatewayRoute\n']]));
    await until(() => reported(id, 'GatewayRoute', 'Accepted')?.status === 'False');
    const applied = (await (await gitops.get(app, `/applied/GatewayRoute/${id}`)).json()) as object;
    expect(applied).toMatchObject({ generation: 1, spec: { paused: false } });
  });

  const route = 'GatewayRoute';
  it.each<[string, Kind, (text: string, id: string) => string, RegExp]>([
    ['has no name', route, (text) => text.replace(/metadata:\n( .*\n)+?spec/, 'metadata: {}\nspec'), /name/],
    [
      'is of an organization of dashes',
      route,
      (text) => text.replace(/organizationId: .*/, `organizationId: ${'-'.repeat(36)}`),
      /organizationId/,
    ],
    [
      'has a generation that no row holds',
      route,
      (text) => text.replace('generation: 1', 'generation: 99999999999'),
      /generation/,
    ],
    [
      'holds what PostgreSQL does not take',
      'ConnectorPolicy',
      (text) =>
        text.replace(
          'rules: []',
          `rules: [{ tool: a__b, action: Allow, name: b, definition: ${'a'.repeat(64)}, arguments: { title: "\\0" } }]`,
        ),
      /Unicode|null|invalid/i,
    ],
    ['is of another kind', route, (_text, id) => manifest(id, 'ConnectorPolicy'), /kind is ConnectorPolicy/],
  ])('because it %s holds up nobody else', async (_name, kind, change, words) => {
    const [bad, good] = [byHand(), byHand()];
    await gitops.push(
      new Map([...filesOf(bad), ...filesOf(good), [file(bad, kind), change(manifest(bad, kind), bad)]]),
    );
    await until(() => gitops.controlPlane.isReady(good));
    await until(() => reported(bad, kind, 'Accepted')?.status === 'False');
    expect(reported(bad, kind, 'Accepted')!.message).toMatch(words);
    expect(gitops.controlPlane.isReady(bad)).toBe(false);
  });

  it('because it would give the instance to another organization changes nothing', async () => {
    const id = await requested();
    const stolen = manifest(id, 'GatewayPolicy').replace(/organizationId: .*/, `organizationId: ${uuidv7()}`);
    await gitops.push(new Map([[file(id, 'GatewayPolicy'), stolen]]));
    await until(() => reported(id, 'GatewayPolicy', 'Accepted')?.status === 'False');
    expect(reported(id, 'GatewayPolicy', 'Accepted')!.message).toBe(
      'an instance keeps its id and its organization',
    );
  });

  it('because it stands in the folder of a stranger does not touch the instance, nor does its removal', async () => {
    const id = await requested();
    const copy = `clusters/dev/instances/stranger/default/${id}/gatewayroute.yaml`;
    await gitops.push(
      new Map([[copy, manifest(id, 'GatewayRoute').replace('paused: false', 'paused: true')]]),
    );
    await gitops.push(new Map([[copy, null]]));
    const after = await requested(); // what came before it was taken over
    expect(gitops.controlPlane.isReady(after)).toBe(true);
    const applied = await gitops.get(app, `/applied/GatewayRoute/${id}`);
    expect(await applied.json()).toMatchObject({ spec: { paused: false } });
  });
});

describe('what is observed', () => {
  it('is written once and not again while it stays the same', async () => {
    storage.set('absent.json', async () => false);
    const id = gitops.controlPlane.request({
      artifact: { bucket: 'artifacts', key: 'absent.json', sha256: 'a'.repeat(64), sizeBytes: 10 },
    });
    const row = async () =>
      (
        await gitops.rows<{ checks: number; version: string; conditions: Condition[] }>(
          "select checks, resource_version::text as version, conditions from applied_resource where instance_id = $1 and kind = 'GatewayRoute'",
          [id],
        )
      )[0];
    await until(async () => ((await row())?.checks ?? 0) > 0);
    const first = await row();
    await until(async () => (await row())!.checks > 2);
    expect(await row()).toMatchObject({ version: first!.version, conditions: first!.conditions });
    expect(reported(id, 'GatewayRoute', 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ArtifactMissing',
    });
    storage.delete('absent.json');
    await until(() => gitops.controlPlane.isReady(id));
  });

  it('of an artifact in storage that hangs holds up neither another instance nor a pause', async () => {
    storage.set('hanging.json', () => new Promise(() => undefined));
    const artifact = { bucket: 'artifacts', key: 'hanging.json', sha256: 'a'.repeat(64), sizeBytes: 10 };
    const other = await requested();
    const stuck = gitops.controlPlane.request({ artifact });
    await until(async () => (await gitops.get(app, `/applied/GatewayRoute/${stuck}`)).status === 200);
    gitops.controlPlane.change(other, { phase: 'Paused' });
    await until(() => gitops.controlPlane.isReady(other, 2));
    expect(gitops.controlPlane.last(stuck)).toBeUndefined();
  });
});
