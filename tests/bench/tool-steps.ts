import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { createAuditLog } from '@agentstore/tools/audit/audit-log';
import { draftOf } from '@agentstore/tools/calls/audit-draft';
import { createRunOwner } from '@agentstore/tools/calls/run-owner';
import type { ToolCall } from '@agentstore/tools/calls/tool-call';
import { serviceAudience, servicePermissions } from '../../infra/dev/identity/services.ts';
import type { ToolRun } from './tool-agent.ts';

/** The parts of a call that wait for others, done by the gateway's own code, each alone. */
export interface ToolSteps {
  /** One record, committed to disk. */
  append(): Promise<void>;
  /** The run's owner is told that a call begins; it stores that before it answers. */
  tell(): Promise<void>;
  close(): Promise<void>;
}

/** Where the gateway's own database and identity are. */
export interface StepsOptions {
  readonly databaseUrl: string;
  readonly tokenUrl: string;
  readonly clientSecret: string;
}

export function toolSteps({ databaseUrl, tokenUrl, clientSecret }: StepsOptions, run: ToolRun): ToolSteps {
  const db = openDatabase({ url: databaseUrl, schema: 'tools', max: 2, log: silentLog });
  const audit = createAuditLog({ db, log: silentLog, deadlineMs: 2_000, mostWaiting: 100 });
  const token = serviceTokenSource({
    tokenUrl,
    clientId: 'tools',
    clientSecret,
    audience: serviceAudience,
    scope: servicePermissions['tools']!,
  });
  const owner = createRunOwner((baseUrl) => createServiceClient({ name: 'runner', baseUrl, token }));
  const grant = { ...run.grant, tokenId: 'bench' };
  const call: ToolCall = {
    channel: 'REST',
    toolId: 'orders__find_order',
    arguments: { text: 'A-1042' },
    signal: new AbortController().signal,
  };
  return {
    append: () =>
      audit.decided({ ...draftOf(grant, call), decision: 'ALLOWED', reason: 'ALLOWED_BY_POLICY' }),
    tell: () =>
      owner.started(grant, {
        id: uuidv7(),
        toolId: call.toolId,
        arguments: JSON.stringify(call.arguments),
      }),
    close: () => db.close(),
  };
}
