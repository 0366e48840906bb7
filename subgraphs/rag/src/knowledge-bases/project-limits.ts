import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import { ServiceError, type ServiceClient } from '@agentstore/kernel/service-client';

/** Whose a project is, and how much it may hold by its plans. */
export interface ProjectLimits {
  readonly organizationId: Uuid;
  /** Of paths in Git. */
  readonly organizationSlug: string;
  readonly projectSlug: string;
  readonly knowledgeBases: number;
  /** In one knowledge base. */
  readonly documents: number;
  /** Of all documents of the project. */
  readonly bytes: number;
}

/** What the control plane says of projects; undefined for one that it does not know. */
export interface ProjectLimitsReader {
  of(projectId: Uuid): Promise<ProjectLimits | undefined>;
}

/** Projects that are remembered at once. */
const mostProjects = 1_000;

/** Asks once for those who ask at the same time, and remembers an answer for `keptMs`; a fault is not remembered. */
export function readProjectLimits(controlPlane: ServiceClient, keptMs: number): ProjectLimitsReader {
  const known = new Map<
    Uuid,
    { readonly answer: Promise<ProjectLimits | undefined>; readonly until: number }
  >();
  return {
    async of(projectId) {
      const kept = known.get(projectId);
      if (kept && kept.until > performance.now()) return kept.answer;
      const answer = ask(controlPlane, projectId);
      if (known.size >= mostProjects) known.clear();
      known.set(projectId, { answer, until: performance.now() + keptMs });
      answer.catch(() => known.delete(projectId));
      return answer;
    },
  };
}

async function ask(controlPlane: ServiceClient, projectId: Uuid): Promise<ProjectLimits | undefined> {
  if (!isUuid(projectId)) return undefined;
  try {
    return await controlPlane.call<ProjectLimits>(
      'GET',
      `/projects/${projectId}/knowledge-limits`,
      undefined,
      {
        deadlineMs: 2_000,
        retries: 1,
      },
    );
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    throw error;
  }
}
