import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';

/** A project and, of each of its instances that are there to stay and whose plan speaks of knowledge, what that plan says. */
export async function knowledgeOf(
  tx: Tx,
  projectId: Uuid,
): Promise<
  | {
      readonly organizationId: Uuid;
      readonly organizationSlug: string;
      readonly projectSlug: string;
      readonly plans: readonly unknown[];
    }
  | undefined
> {
  const [row] = await tx.sql<{
    organizationId: Uuid;
    organizationSlug: string;
    projectSlug: string;
    plans: unknown[];
  }>(
    `-- knowledgeOf
     select pr.organization_id as "organizationId", o.slug as "organizationSlug", pr.slug as "projectSlug", coalesce(jsonb_agg(e.value -> 'limits') filter (where e.value is not null), '[]') as plans
     from project pr join organization o on o.id = pr.organization_id left join instance i on i.project_id = pr.id and i.state <> 'TERMINATED' and i.desired_phase <> 'Terminated'
     left join plan p on p.id = i.plan_id
     left join lateral jsonb_array_elements(p.entitlements) e on e.value ->> 'capability' = 'knowledge'
     where pr.id = $1 group by pr.id, o.id`,
    [projectId],
  );
  return row;
}
