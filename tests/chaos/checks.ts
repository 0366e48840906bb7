import pg from 'pg';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { assertInvariants } from '../invariants/assert-invariants.ts';
import { until } from '../setup/persistently.ts';
import type { Ask, ChaosStore } from './chaos-store.ts';
import { gitFaults } from './git-checks.ts';
import type { Promised } from './job.ts';
import { knowledgeFaults } from './knowledge-checks.ts';
import { toolFaults } from './tool-checks.ts';

/** What must hold when the dust has settled. Throws with everything that does not. */
export async function check(store: ChaosStore, promised: readonly Promised[]): Promise<void> {
  const faults: string[] = [...store.crashes()];
  const client = new pg.Client({ connectionString: store.adminUrl });
  await client.connect();
  const ask: Ask = async (sql, values = []) =>
    (await client.query<Record<string, string | null>>(sql, [...values])).rows;
  try {
    await until('everything is worked off', async () => (await pending(ask)).length === 0 || undefined).catch(
      async () => faults.push(...(await pending(ask))),
    );
    for (const one of promised) faults.push(...(await brokenPromises(ask, one)));
    for (const { schema } of await ask(
      "select table_schema as schema from information_schema.tables where table_name = 'outbox'",
    ))
      for (const { topic, key, reason } of await ask(
        `select topic, key, parked_reason as reason from ${schema}.outbox where parked_reason is not null`,
      ))
        faults.push(`${schema} gave up telling ${topic} of ${key}: ${reason}`);
    for (const { id, state, reason } of await ask(
      "select saleor_order_id as id, state, reason from provisioner.order_state where state = 'PARKED'",
    ))
      faults.push(`order ${id} is ${state}: ${reason}`);
    for (const { run } of await ask(
      'select run_id as run from runs.run_event group by run_id having count(*) <> max(seq)',
    ))
      faults.push(`events of run ${run} have holes`);
    for (const { id, run, charge, charged } of await ask(
      `select r.id, r.state as run, r.charge::text, v.charged::text from runs.run r left join billing.reservation v on v.id = r.id
       where v.id is null or coalesce(r.charge, 0) <> v.charged or (r.state = 'SUCCEEDED' and v.status <> 'SETTLED')`,
    ))
      faults.push(`run ${id} is ${run} and says it cost ${charge}; its reservation says ${charged}`);
    for (const { id } of await ask(
      'select v.id from billing.reservation v left join runs.run r on r.id = v.id where r.id is null and v.charged > 0',
    ))
      faults.push(`reservation ${id} was charged for no run`);
    faults.push(...(await toolFaults(store, ask)));
    faults.push(...(await knowledgeFaults(store, ask)));
    // An instance is TERMINATED a moment before the removal of its folder is in line.
    await until(
      'Git equals the database',
      async () => (await gitFaults(store, ask)).length === 0 || undefined,
    ).catch(async () => faults.push(...(await gitFaults(store, ask))));
    await assertInvariants(store.adminUrl).catch((error: Error) => faults.push(error.message));
  } finally {
    await client.end();
  }
  if (faults.length) throw new Error(faults.join('\n    '));
}

/** What sweeps and retries still have to bring about. */
async function pending(ask: Ask): Promise<string[]> {
  const rows = await ask(`
    select 'reservation ' || id || ' is open' as what from billing.reservation where status = 'OPEN'
    union all select 'run ' || id || ' is ' || state from runs.run where state not in ('SUCCEEDED', 'FAILED', 'CANCELLED')
    union all select 'order ' || saleor_order_id || ' is ' || state from provisioner.order_state where state = 'DUE'
    union all select 'instance ' || instance_id || ' waits for Git' from control_plane.gitops_outbox
    union all select 'commit ' || commit || ' is not told' from gitops.committed
    union all select folder || ' waits to be removed' from gitops.removal
    union all select 'binding ' || id || ' is ' || state || case when state = 'REVOKED' then ' and its secret is not removed' else '' end
      from control_plane.connector_binding where state = 'PENDING' or (state = 'REVOKED' and removed_at is null)
    union all select 'instance ' || id || ' is ' || state || ' and should be ' || desired_phase from control_plane.instance
      where upper(desired_phase) <> state or observed_generation <> desired_generation
    union all select 'knowledge base ' || knowledge_base_id || ' waits for Git' from rag.gitops_outbox
    union all select 'knowledge base ' || id || ' is ' || state || ' and waits for ' || case when removed_at is null then 'Git' else 'its end' end from rag.knowledge_base b
      where observed_generation <> desired_generation or state = 'PROVISIONING' or (state = 'DELETING' and removed_at is null)
        or (removed_at is not null and not exists (select from rag.document d where d.knowledge_base_id = b.id))
    union all select 'document ' || id || ' is ' || state from rag.document where deleted_at is null and state in ('UPLOADED', 'INGESTING')
    union all select 'document ' || id || ' waits to be removed' from rag.document where deleted_at is not null and (purge_at is null or purge_at <= now())`);
  return rows.map(({ what }) => what!);
}

/** What one client was told, and is not so. */
async function brokenPromises(ask: Ask, promised: Promised): Promise<string[]> {
  const { email, orderId } = promised;
  const organizationId = fromGlobalId('Organization', promised.organizationId);
  const instanceId = fromGlobalId('Instance', promised.instanceId);
  const runId = fromGlobalId('Run', promised.run.runId);
  const faults: string[] = [];
  const expect = async (what: string, wanted: object[], sql: string, values: unknown[]): Promise<void> => {
    const found = await ask(sql, values);
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      faults.push(`${what} should be ${JSON.stringify(wanted)} and is ${JSON.stringify(found)}`);
  };
  await expect(
    `the workspace of ${email}`,
    [{ id: organizationId }],
    `select distinct m.organization_id as id from control_plane.membership m join control_plane.users u on u.id = m.user_id where u.email = $1`,
    [email],
  );
  await expect(
    `what became of order ${orderId}`,
    [{ id: instanceId, organization: organizationId, state: promised.instanceState }],
    `select id, organization_id as organization, state from control_plane.instance where saleor_order_id = $1`,
    [orderId],
  );
  await expect(
    `the credits of order ${orderId}`,
    [
      { organization: organizationId, kind: 'GRANT', amount: '500000000' },
      { organization: organizationId, kind: 'TOP_UP', amount: '1000000000' },
    ],
    `select organization_id as organization, kind, amount::text from billing.ledger_entry where saleor_order_id = $1 order by kind`,
    [orderId],
  );
  await expect(
    `the runs of instance ${instanceId}`,
    [{ id: runId, key: `run of ${orderId}`, state: promised.run.runState }],
    `select r.id, k.key, r.state from runs.run r left join runs.run_key k on k.run_id = r.id where r.instance_id = $1`,
    [instanceId],
  );
  // The poll makes an order due again now and then, to look at it once more.
  const granted = async () => {
    const states = await ask('select state from provisioner.order_state where saleor_order_id = $1', [
      orderId,
    ]);
    return states.length === 1 && states[0]!['state'] === 'GRANTED' ? true : undefined;
  };
  await until('the order is GRANTED at the provisioner', granted).catch((error: Error) =>
    faults.push(`order ${orderId}: ${error.message}`),
  );
  for (const { runId: seen, seqs } of [promised.run, ...promised.tools.runs])
    await expect(
      `the events of run ${seen} that its subscriber saw`,
      seqs.map((seq) => ({ seq })),
      'select seq from runs.run_event where run_id = $1 order by seq',
      [fromGlobalId('Run', seen)],
    );
  const { tools } = promised;
  await expect(
    `the bindings of ${email}`,
    [
      { id: fromGlobalId('ConnectorBinding', tools.orders), organization: organizationId, state: 'REVOKED' },
      { id: fromGlobalId('ConnectorBinding', tools.status), organization: organizationId, state: 'ACTIVE' },
    ],
    `select b.id, b.organization_id as organization, b.state from control_plane.connector_binding b where b.id = any ($1) order by b.state desc`,
    [[tools.orders, tools.status].map((id) => fromGlobalId('ConnectorBinding', id))],
  );
  const { knowledge } = promised;
  await expect(
    `the knowledge of ${email}`,
    knowledge.isRemoved
      ? []
      : [
          {
            organization: organizationId,
            state: 'READY',
            document: fromGlobalId('Document', knowledge.documentId),
            documentState: 'READY',
          },
        ],
    `select b.organization_id as organization, b.state, d.id as document, d.state as "documentState" from rag.knowledge_base b left join rag.document d
       on d.knowledge_base_id = b.id and d.deleted_at is null where b.id = $1 and b.state <> 'DELETING'`,
    [fromGlobalId('KnowledgeBase', knowledge.knowledgeBaseId)],
  );
  const last = fromGlobalId('Run', tools.runs.at(-1)!.runId);
  await expect(
    `the runs with tools of ${email}`,
    tools.runs.map(({ runId: id, runState }) => ({ id: fromGlobalId('Run', id), state: runState })),
    'select id, state from runs.run where instance_id = $1 order by id',
    [fromGlobalId('Instance', tools.instanceId)],
  );
  await expect(
    `calls of the revoked tool by run ${last}, which must not succeed`,
    [{ calls: '0', succeeded: false }],
    `select count(*)::text as calls, (select state = 'SUCCEEDED' from runs.run where id = $1) as succeeded from tools.audit_record
     where run_id = $1 and tool_id = 'orders__find_order' and decision = 'ALLOWED'`,
    [last],
  );
  return faults;
}
