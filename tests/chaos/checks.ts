import pg from 'pg';
import { parse } from 'yaml';
import { openRepository } from '@agentstore/gitops/writer/repository';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { assertInvariants } from '../invariants/assert-invariants.ts';
import type { Fleet } from './fleet.ts';
import type { Promised } from './job.ts';

/** What must hold when the dust has settled. Throws with everything that does not. */
export async function check(fleet: Fleet, promised: readonly Promised[]): Promise<void> {
  const faults: string[] = [];
  const client = new pg.Client({ connectionString: fleet.adminUrl });
  await client.connect();
  const rows = async (sql: string, values: unknown[] = []) =>
    (await client.query<Record<string, string>>(sql, values)).rows;
  try {
    await settled(
      async () => (await rows("select id from billing.reservation where status = 'OPEN'")).length === 0,
    );
    for (const { orderId, runId } of promised) {
      const instances = await rows('select id from control_plane.instance where saleor_order_id = $1', [
        orderId,
      ]);
      if (instances.length !== 1) faults.push(`order ${orderId} has ${instances.length} instances`);
      const topUps = await rows(
        "select kind, amount from billing.ledger_entry where saleor_order_id = $1 and kind in ('TOP_UP', 'GRANT')",
        [orderId],
      );
      if (topUps.length !== 2) faults.push(`order ${orderId} has ${topUps.length} top-ups`);
      const [reservation] = await rows('select status from billing.reservation where id = $1', [
        fromGlobalId('Run', runId),
      ]);
      if (!reservation || reservation['status'] === 'OPEN')
        faults.push(`the reservation of run ${runId} is ${reservation?.['status'] ?? 'missing'}`);
    }
    for (const run of await rows(
      "select id, state from runs.run where state not in ('SUCCEEDED', 'FAILED', 'CANCELLED')",
    ))
      faults.push(`run ${run['id']} is ${run['state']}`);
    for (const hole of await rows(
      'select run_id, count(*), max(seq) from runs.run_event group by run_id having count(*) <> max(seq)',
    ))
      faults.push(`events of run ${hole['run_id']} have holes`);
    for (const open of await rows("select id from billing.reservation where status = 'OPEN'"))
      faults.push(`reservation ${open['id']} was left open`);
    faults.push(...(await gitDiffers(fleet, rows)));
    await assertInvariants(fleet.adminUrl).catch((error: Error) => faults.push(error.message));
  } finally {
    await client.end();
  }
  if (faults.length) throw new Error(faults.join('\n    '));
}

/** Git must say what the database wants, instance by instance. */
async function gitDiffers(
  fleet: Fleet,
  rows: (sql: string) => Promise<Record<string, string>[]>,
): Promise<string[]> {
  const repository = await openRepository({ directory: fleet.repository, branch: 'main' });
  const tip = await repository.tip();
  const files = tip ? await repository.diff(undefined, tip) : new Map<string, string | null>();
  const inGit = new Map<string, number>();
  for (const [file, text] of files)
    if (file.endsWith('/gatewayroute.yaml') && text) {
      const { spec } = parse(text) as { spec: { instanceId: string; generation: number } };
      inGit.set(spec.instanceId, spec.generation);
    }
  const wanted = await rows(
    "select id, desired_generation from control_plane.instance where state <> 'TERMINATED'",
  );
  return wanted
    .filter((instance) => inGit.get(instance['id']!) !== Number(instance['desired_generation']))
    .map(
      (instance) =>
        `instance ${instance['id']} is at generation ${instance['desired_generation']} and in Git at ${inGit.get(instance['id']!) ?? 'none'}`,
    );
}

/** Waits up to 40 s for what sweeps bring about by themselves. */
async function settled(ready: () => Promise<boolean>): Promise<void> {
  for (
    const deadline = Date.now() + 40_000;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 200))
  )
    if (await ready()) return;
}
