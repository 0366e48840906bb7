import type { GraphClient } from '../../../../infra/dev/main-job/graph-client.ts';
import { accept, type Errors } from '../../../../infra/dev/main-job/accept.ts';
import { activeAgent } from '../../../../infra/dev/main-job/active-agent.ts';
import { instanceBrand } from '../../../../infra/dev/main-job/widget-operations.ts';
import { offeringSlug } from '../../../../infra/dev/stack/catalogue.ts';

/** An agent that sites may carry. */
export interface BrandedAgent {
  readonly instanceId: string;
  readonly widgetKey: string;
  readonly projectId: string;
  readonly organizationId: string;
  /** Changes how it looks, or where it may be. */
  brand(input: object): Promise<void>;
}

/** A new trial agent of somebody, with a look. */
export async function brandedAgent(
  { graph }: { readonly graph: GraphClient },
  look: object,
  slug = offeringSlug,
): Promise<BrandedAgent> {
  const { workspaceAuto } = await graph.query<{
    workspaceAuto: { project: { id: string }; organization: { id: string } };
  }>('mutation { workspaceAuto(input: {}) { project { id } organization { id } } }');
  const projectId = workspaceAuto.project.id;
  const { id: instanceId } = await activeAgent(graph, { projectId, offeringSlug: slug });
  return branded(graph, { instanceId, projectId, organizationId: workspaceAuto.organization.id }, look);
}

/** An agent that is there already, with a look. */
export async function branded(
  graph: GraphClient,
  home: Pick<BrandedAgent, 'instanceId' | 'projectId' | 'organizationId'>,
  look: object,
): Promise<BrandedAgent> {
  const { instanceId, projectId, organizationId } = home;
  const brand = async (input: object) => {
    const { instanceBrand: branded } = await graph.query<{
      instanceBrand: { instance: { endpoint: { widgetKey: string } }; errors: Errors };
    }>(instanceBrand, { input: { instanceId, ...input } });
    accept(branded.errors);
    return branded.instance.endpoint.widgetKey;
  };
  const widgetKey = await brand({ brandName: 'Ada', ...look });
  return {
    instanceId,
    widgetKey,
    projectId,
    organizationId,
    brand: async (input) => void (await brand(input)),
  };
}
