import { beforeEach, expect, it } from 'vitest';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { crdValidators, readManifest } from '../applier/crd-schemas.ts';
import { openGitops, until, type Gitops } from '../testing/gitops-app.ts';
import { createSmallRag } from '../testing/small-rag.ts';
import type { DesiredKnowledgeBase } from './desired-state.ts';
import { manifestsOf, yamlOf } from './manifests.ts';

let gitops: Gitops;
let small: ReturnType<typeof createSmallRag>;
let rag: ReturnType<typeof createServiceClient>;
beforeEach(async () => {
  gitops = await openGitops();
  small = createSmallRag();
  rag = createServiceClient({ name: 'rag', baseUrl: 'http://rag', send: small.fetch });
});

const ragflow: DesiredKnowledgeBase['engine'] = {
  kind: 'Ragflow',
  datasetName: 'manuals',
  chunkMethod: 'naive',
  parser: { autoKeywords: 0, autoQuestions: 0, raptor: false, graphrag: false },
};
const folderOf = (id: string): string => `clusters/dev/knowledge/acme/default/${id}`;
const filesIn = async (id: string) => [...(await gitops.repository.blobsIn(folderOf(id))).keys()];
const messages = async () => (await gitops.repository.log(9)).map(({ message }) => message.split('\n')[0]);

it('writes bases and instances in one commit, and each owner hears of its own', async () => {
  const [plain, withRagflow] = [small.request({ language: 'german' }), small.request({ engine: ragflow })];
  const instance = gitops.controlPlane.request();
  await gitops.start({ rag });
  await until(() => [plain, withRagflow].every(small.isReady) && gitops.controlPlane.isReady(instance));
  expect(await filesIn(plain)).toEqual(['knowledgebase.yaml']);
  expect(await filesIn(withRagflow)).toEqual(['knowledgebase.yaml', 'ragflowkb.yaml']);
  const { state, committed } = small.bases.get(withRagflow)!;
  expect(committed).toHaveLength(1);
  expect(manifestsOf(state).map(yamlOf).join('---\n')).toBe(
    manifestsOf({ ...state, actor: 'user:other' })
      .map(yamlOf)
      .join('---\n'),
  );
  const validators = crdValidators();
  const [base, kb] = manifestsOf(state).map(yamlOf);
  const read = (text: string, kind: 'KnowledgeBase' | 'RagflowKB') =>
    readManifest(text, validators, { kind, instanceId: withRagflow }).fault;
  expect([read(base!, 'KnowledgeBase'), read(kb!, 'RagflowKB')]).toEqual([undefined, undefined]);
  expect(read(base!.replace('Ragflow', 'Mine'), 'KnowledgeBase')).toMatch(/engine.*allowed values/);
  expect(read(base!.replace(/knowledgeBaseId: .*/, `knowledgeBaseId: ${plain}`), 'KnowledgeBase')).toBe(
    'spec.knowledgeBaseId is not the folder it stands in',
  );
  expect(read(kb!.replace('raptor: false', 'raptor: false\n    llm: x'), 'RagflowKB')).toMatch(/additional/);
});

it('is ready when the engine has it, and not before', async () => {
  small.engine = { status: 'False', reason: 'EngineUnavailable', message: 'not yet' };
  const id = small.request();
  await gitops.start({ rag });
  await until(() => small.last(id) !== undefined);
  expect(small.isReady(id)).toBe(false);
  small.engine = { status: 'True', reason: 'EngineReady', message: 'The engine has it.' };
  await until(() => small.isReady(id));
});

it('takes the folder of a deleted base away, and tells its owner when nothing is applied any more', async () => {
  const id = small.request();
  const app = await gitops.start({ rag });
  await until(() => small.isReady(id));
  small.change(id, { phase: 'Deleted' });
  await until(() => small.last(id)?.resources.length === 0);
  expect(await filesIn(id)).toEqual([]);
  expect((await messages())[0]).toBe('remove(dev): 1 knowledge base');
  expect((await gitops.get(app, `/applied/KnowledgeBase/${id}`)).status).toBe(404);
});

it('puts right what drifted', async () => {
  const id = small.request();
  await gitops.start({ rag, sweepEveryMs: 50 });
  await until(() => small.isReady(id));
  const before = await gitops.repository.blobsIn(folderOf(id));
  await gitops.push(new Map([[`${folderOf(id)}/knowledgebase.yaml`, '# by hand\n']]));
  await until(
    async () =>
      JSON.stringify([...(await gitops.repository.blobsIn(folderOf(id)))]) === JSON.stringify([...before]) &&
      small.drifted.length > 0,
  );
  expect(new Set(small.drifted)).toEqual(new Set([id]));
});

it('holds up no instance while its owner is away', async () => {
  small.away = true;
  await gitops.start({ rag });
  const instance = gitops.controlPlane.request();
  await until(() => gitops.controlPlane.isReady(instance));
  const id = small.request();
  small.away = false;
  await until(() => small.isReady(id));
  expect(small.bases.get(id)!.committed).toHaveLength(1);
});
