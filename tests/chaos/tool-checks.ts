import { openDatabase } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { verifyChain } from '@agentstore/tools/audit/audit-chain';
import { exportChain } from '@agentstore/tools/audit/export-chain';
import type { Ask, ChaosStore } from './chaos-store.ts';

/** What must hold between the runs' events, the audit log, the upstream and the secret store. */
export async function toolFaults(store: ChaosStore, ask: Ask): Promise<string[]> {
  const rows = await ask(`
    with decision as (select * from tools.audit_record where kind = 'DECISION'), completion as (select * from tools.audit_record where kind = 'COMPLETION'),
      told as (
        select e.run_id, e.organization_id, e.kind, e.payload ->> 'toolCallId' as id, e.payload ->> 'content' as content, r.state from runs.run_event e join runs.run r on r.id = e.run_id
        where e.kind in ('ToolCallStart', 'ToolCallResult')
      )
    -- A run is told of a call while its decision is written. When that could not be written, the call is told to be refused for it; when the gateway died over it, the run failed without a result.
    select 'run ' || run_id || ' tells of call ' || id || ', of which its organization has no decision' as what from told t
      where kind = 'ToolCallStart' and not exists (select from decision d where d.id::text = t.id and d.organization_id = t.organization_id and d.run_id = t.run_id)
        and coalesce(
          (select e.content from told e where e.kind = 'ToolCallResult' and e.run_id = t.run_id and e.id = t.id),
          case when t.state <> 'SUCCEEDED' then 'AUDIT_UNAVAILABLE' else 'none' end
        ) <> 'AUDIT_UNAVAILABLE'
    union all select 'run ' || run_id || ' tells the result of call ' || id || ', which did not start' from told t
      where kind = 'ToolCallResult' and not exists (select from told s where s.kind = 'ToolCallStart' and s.run_id = t.run_id and s.id = t.id)
    union all select 'call ' || d.id || ' of run ' || d.run_id || ' was allowed and never completed, and the run is SUCCEEDED'
      from decision d join runs.run r on r.id = d.run_id
      where d.decision = 'ALLOWED' and r.state = 'SUCCEEDED' and not exists (select from completion c where c.id = d.id)
    union all select 'call ' || id || ' was completed and never allowed' from completion c
      where not exists (select from decision d where d.id = c.id and d.decision = 'ALLOWED' and d.seq < c.seq)`);
  const faults = rows.map(({ what }) => what!);
  // What a completion says was tried; a call that a killed gateway left open reached this upstream once, since nothing between the two breaks.
  const [allowed] = await ask(
    `select coalesce(sum(coalesce((c.body::jsonb ->> 'attempts')::int, 1)), 0)::int as attempts from tools.audit_record d
       left join tools.audit_record c on c.id = d.id and c.kind = 'COMPLETION'
     where d.kind = 'DECISION' and d.tool_id = 'orders__find_order' and d.decision = 'ALLOWED'`,
  );
  const calls = store.ordersCalls();
  if (calls !== undefined && calls > Number(allowed!['attempts']))
    faults.push(`the orders API was called ${calls} times; the audit log knows of ${allowed!['attempts']}`);
  return [...faults, ...(await chainFaults(store)), ...(await secretFaults(store, ask))];
}

async function chainFaults({ adminUrl }: ChaosStore): Promise<string[]> {
  const db = openDatabase({ url: adminUrl, schema: 'tools', max: 1, log: silentLog });
  try {
    const { fault } = await verifyChain(exportChain(db));
    return fault ? [`the audit chain: ${fault.code} at record ${fault.seq}: ${fault.message}`] : [];
  } finally {
    await db.close();
  }
}

/** The secret store holds the secrets of the live bindings, and nothing else. */
async function secretFaults({ vault }: ChaosStore, ask: Ask): Promise<string[]> {
  const faults: string[] = [];
  const projects = await ask(
    `select organization_id || '/' || project_id as path, string_agg(id::text, ' ' order by id) filter (where state = 'ACTIVE') as live
     from control_plane.connector_binding group by organization_id, project_id`,
  );
  for (const { path, live } of projects) {
    const answer = await fetch(`${vault.url}/v1/kv/metadata/connectors/${path}?list=true`, {
      headers: { 'x-vault-token': vault.rootToken },
      signal: AbortSignal.timeout(5_000),
    });
    const kept =
      answer.status === 404
        ? []
        : ((await answer.json()) as { data: { keys: string[] } }).data.keys.toSorted();
    if (kept.join(' ') !== (live ?? ''))
      faults.push(`the secret store keeps ${kept.join(' ') || 'nothing'} of ${path}, where ${live} is live`);
  }
  return faults;
}
