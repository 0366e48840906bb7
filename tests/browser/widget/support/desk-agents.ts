import type { Data } from '../../../setup/graph-data.ts';
import { knowledgeJob } from '../../../../infra/dev/main-job/knowledge-job.ts';
import { toolJob } from '../../../../infra/dev/main-job/tool-job.ts';
import { createProgress } from '../../../../infra/dev/progress.ts';
import { helpDeskSlug } from '../../../../infra/dev/stack/help-desk.ts';
import { orderDeskSlug } from '../../../../infra/dev/stack/order-desk.ts';
import { demoConnectorSecrets } from '../../../../infra/dev/state/demo-connector-secrets.ts';
import path from 'node:path';
import { branded } from './branded-agent.ts';
import type { OwnedAgent, Stage } from './stage.ts';

const progress = createProgress({ write: () => undefined });
const corpus = path.join(import.meta.dirname, '../../../bench/knowledge/corpus');

/** Answers from documents, and cites them. */
export const helpDeskAgent = (stage: Stage, look: object): Promise<OwnedAgent> =>
  deskAgent(stage, look, (home) =>
    knowledgeJob(
      {
        ...home,
        offeringSlug: helpDeskSlug,
        documents: [
          { file: path.join(corpus, 'espresso-machine.pdf'), contentType: 'application/pdf' },
          { file: path.join(corpus, 'returns.md'), contentType: 'text/markdown' },
        ],
      },
      progress,
      'How much citric acid does descaling take?',
    ),
  );

/** Asks two systems before it answers. */
export const orderDeskAgent = (stage: Stage, look: object): Promise<OwnedAgent> =>
  deskAgent(stage, look, (home) =>
    toolJob(
      { ...home, offeringSlug: orderDeskSlug, secrets: { ...demoConnectorSecrets(stage.store.stateDir) } },
      progress,
      'Where is my order A-1042?',
    ),
  );

async function deskAgent(
  { store, site }: Stage,
  look: object,
  make: (home: {
    graphqlUrl: string;
    accessToken: string;
    organizationId: string;
    projectId: string;
  }) => Promise<string>,
): Promise<OwnedAgent> {
  const owner = await store.signUp();
  const graph = store.as(owner.token);
  const { workspaceAuto }: Data = await owner.query(
    'mutation { workspaceAuto(input: {}) { project { id } organization { id } } }',
  );
  const home = {
    organizationId: String(workspaceAuto.organization.id),
    projectId: String(workspaceAuto.project.id),
  };
  const instanceId = await make({ ...home, graphqlUrl: store.graphqlUrl, accessToken: owner.token });
  const agent = await branded(
    graph,
    { ...home, instanceId },
    { allowedDomains: [site.origin], brandName: 'Ada', showToolSteps: true, ...look },
  );
  return { ...agent, owner, graph };
}
