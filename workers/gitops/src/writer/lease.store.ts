import type { Tx } from '@agentstore/kernel/db/database';

/** Takes or keeps the branch's lease for `seconds`; answers the fence, or undefined while another holder has it. */
export async function holdLease(
  tx: Tx,
  input: { branch: string; holder: string; seconds: number },
): Promise<bigint | undefined> {
  const [row] = await tx.sql<{ fence: bigint }>(
    `-- holdLease
     insert into writer_lease (branch, holder, fence, until) values ($1, $2, 1, now() + make_interval(secs => $3))
     on conflict (branch) do update set holder = excluded.holder, until = excluded.until,
       fence = writer_lease.fence + case when writer_lease.holder = excluded.holder then 0 else 1 end
     where writer_lease.holder = excluded.holder or writer_lease.until < now() returning fence`,
    [input.branch, input.holder, input.seconds],
  );
  return row?.fence;
}

/** Ends the lease at once, so that a standby need not wait for it. */
export const dropLease = (tx: Tx, branch: string, holder: string) =>
  tx.sql('-- dropLease\n update writer_lease set until = now() where branch = $1 and holder = $2', [
    branch,
    holder,
  ]);

/** Whether this holder writes the branch now. */
export async function holdsLease(tx: Tx, branch: string, holder: string): Promise<boolean> {
  const rows = await tx.sql(
    '-- holdsLease\n select branch from writer_lease where branch = $1 and holder = $2 and until > now()',
    [branch, holder],
  );
  return rows.length > 0;
}
