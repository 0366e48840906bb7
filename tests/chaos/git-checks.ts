import { parse } from 'yaml';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { openRepository } from '@agentstore/gitops/writer/repository';
import type { Ask, ChaosStore } from './chaos-store.ts';

const kinds = ['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'];

/** What chaos' jobs may call: each required tool of the store's own connectors, with the newest live binding of the project; nobody narrows any. */
const rules = `
  select coalesce(jsonb_agg(jsonb_build_object('tool', tool.id, 'action', 'Allow', 'name', tool.name, 'definition', c.definition_sha256, 'bindingId', b.id)
    order by tool.id collate "C"), '[]')
  from jsonb_array_elements(v.required_connectors) needed join control_plane.connector c on c.slug = needed ->> 'connector'
    cross join lateral (select named as name, c.slug || '__' || named as id from jsonb_array_elements_text(needed -> 'tools') named) tool
    cross join lateral (select id from control_plane.connector_binding where project_id = i.project_id and connector_id = c.id and state = 'ACTIVE' order by id desc limit 1) b`;

/**
 * Git and the database, side by side and both ways: for each instance that is not TERMINATED its three files, for each knowledge base that is to be there
 * its one, and no other; at the generation and in the phase that are desired, with what the rows say besides. Written from the rows, not with the writer's own code.
 */
export async function gitFaults({ repository }: ChaosStore, ask: Ask): Promise<string[]> {
  const opened = await openRepository({ directory: repository, branch: 'main' });
  const tip = await opened.tip();
  const files = new Map(tip ? await opened.diff(undefined, tip) : []);
  const faults: string[] = [];
  for (const { file, should } of [...(await instanceFiles(ask)), ...(await knowledgeFiles(ask))]) {
    const text = files.get(file);
    files.delete(file);
    const said = text ? saidBy(text) : undefined;
    for (const [member, value] of Object.entries(should))
      if (said?.[member] !== value)
        faults.push(`${file}: ${member} should be ${value} and is ${String(said?.[member])}`);
  }
  for (const file of files.keys()) faults.push(`${file} is in Git and belongs to nothing`);
  return faults;
}

interface Wanted {
  readonly file: string;
  readonly should: Readonly<Record<string, string | boolean | null | undefined>>;
}

async function instanceFiles(ask: Ask): Promise<Wanted[]> {
  const instances = await ask(
    `select i.id, i.organization_id as organization, o.slug as "organizationSlug", p.slug as "projectSlug", i.desired_generation as generation,
       i.desired_phase as phase, v.sha256, pl.code as plan, (${rules})::text as rules
     from control_plane.instance i join control_plane.organization o on o.id = i.organization_id join control_plane.project p on p.id = i.project_id
       join control_plane.offering_version v on v.id = i.offering_version_id join control_plane.plan pl on pl.id = i.plan_id
     where i.state <> 'TERMINATED'`,
  );
  return instances.flatMap((wanted) =>
    kinds.map((kind) => ({
      file: `clusters/dev/instances/${wanted['organizationSlug']}/${wanted['projectSlug']}/${wanted['id']}/${kind.toLowerCase()}.yaml`,
      should: {
        kind,
        instanceId: wanted['id'],
        organizationId: wanted['organization'],
        generation: wanted['generation'],
        desiredPhase: wanted['phase'],
        ...(kind === 'GatewayRoute'
          ? { sha256: wanted['sha256'], paused: wanted['phase'] !== 'Active' }
          : {}),
        ...(kind === 'GatewayPolicy' ? { plan: wanted['plan'] } : {}),
        ...(kind === 'ConnectorPolicy' ? { rules: canonicalJson(JSON.parse(wanted['rules']!)) } : {}),
      },
    })),
  );
}

async function knowledgeFiles(ask: Ask): Promise<Wanted[]> {
  const bases = await ask(
    `select b.id, b.organization_id as organization, b.project_id as project, o.slug as "organizationSlug", p.slug as "projectSlug", b.name,
       b.desired_generation as generation, b.max_documents as documents, b.max_bytes::float8 as bytes
     from rag.knowledge_base b join control_plane.organization o on o.id = b.organization_id join control_plane.project p on p.id = b.project_id
     where b.desired_phase = 'Active'`,
  );
  return bases.map((wanted) => ({
    file: `clusters/dev/knowledge/${wanted['organizationSlug']}/${wanted['projectSlug']}/${wanted['id']}/knowledgebase.yaml`,
    should: {
      kind: 'KnowledgeBase',
      knowledgeBaseId: wanted['id'],
      organizationId: wanted['organization'],
      projectId: wanted['project'],
      name: wanted['name'],
      generation: wanted['generation'],
      desiredPhase: 'Active',
      engine: 'Embedded',
      limits: canonicalJson({ documents: wanted['documents'], bytes: wanted['bytes'] }),
    },
  }));
}

function saidBy(text: string): Record<string, unknown> {
  const { kind, spec } = parse(text) as {
    kind: string;
    spec: Record<string, unknown> & {
      runtime?: { artifact: { sha256: string } };
      rules?: unknown;
      limits?: unknown;
    };
  };
  return {
    ...spec,
    kind,
    sha256: spec.runtime?.artifact.sha256,
    ...(spec.rules ? { rules: canonicalJson(spec.rules) } : {}),
    ...(spec.limits ? { limits: canonicalJson(spec.limits) } : {}),
  };
}
