import { z } from 'zod';
import { organizationScope, serviceScope } from '@agentstore/kernel/access';
import type { Database } from '@agentstore/kernel/db/database';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, parsed, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid } from '@agentstore/kernel/ids';
import { printLine, type ChainLine } from './audit-chain.ts';
import { entryOf } from './audit-entry.ts';
import { entriesOf, entryById } from './audit-records.store.ts';
import { exportChain } from './export-chain.ts';

/** Entries of one answer: a page of the public graph and the one that tells that there are more. */
const mostEntries = 101;

const id = z.string().refine(isUuid, 'a UUID');
const seq = z
  .string()
  .regex(/^[1-9]\d{0,17}$/)
  .transform(BigInt)
  .optional();
const listQuery = z.object({
  organizationId: id,
  after: id.nullable().default(null),
  first: z.coerce.number().int().min(1).max(mostEntries).default(20),
  runId: id.nullable().default(null),
  toolId: z.string().min(1).max(200).nullable().default(null),
  decision: z.enum(['ALLOWED', 'DENIED']).nullable().default(null),
});
const rangeQuery = z.object({ from: seq, to: seq });

/** Reading of the audit log, for services with `audit:read`: one entry, an organization's entries newest first, and the chain for verification elsewhere. */
export function auditRoutes(app: ServiceApp, { db }: { readonly db: Database }): void {
  app.get('/internal/audit', async (c) => {
    serviceScope(c.var.caller, 'audit:read');
    const { organizationId, after, first, ...filter } = parsed(
      listQuery,
      c.req.query(),
      'The query does not have the expected members.',
    );
    const scope = organizationScope(c.var.caller, organizationId, 'audit:read')!;
    const written = await db.transaction(scope, (tx) =>
      entriesOf(tx, organizationId, filter, { first, after }),
    );
    return json({ items: written.map(entryOf) });
  });
  app.get('/internal/audit/:id', async (c) => {
    const scope = serviceScope(c.var.caller, 'audit:read');
    const entryId = c.req.param('id');
    const written = isUuid(entryId) ? await db.transaction(scope, (tx) => entryById(tx, entryId)) : undefined;
    if (!written)
      throw new ProblemError({
        status: 404,
        code: 'AUDIT_ENTRY_NOT_FOUND',
        title: 'There is no audit entry with this id.',
      });
    return json(entryOf(written));
  });
  app.get('/internal/audit:export', (c) => {
    serviceScope(c.var.caller, 'audit:read');
    const range = parsed(rangeQuery, c.req.query(), 'from and to are numbers of records.');
    return new Response(ndjson(exportChain(db, range)), {
      headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
    });
  });
}

/** Lines as they are asked for; a body that is cancelled reads no further. */
function ndjson(lines: AsyncGenerator<ChainLine>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${printLine(value)}\n`));
    },
    cancel: async () => void (await lines.return(undefined)),
  });
}
