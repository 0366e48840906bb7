import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { deleteOldSessions } from './widget-sessions.store.ts';

const scope = systemScope('delete-old-sessions');
const page = 1_000;

/** Deletes sessions of visitors who did not come back. */
export const startSessionSweep = ({ db, log }: Room): Loop =>
  startLoop({
    name: 'delete-old-sessions',
    log,
    everyMs: 600_000,
    work: async () => (await db.transaction(scope, (tx) => deleteOldSessions(tx, page))) === page,
  });
