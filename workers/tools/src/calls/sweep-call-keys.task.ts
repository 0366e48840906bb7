import type { Log } from '@agentstore/kernel/log';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { CallKeys } from './call-keys.ts';

const everyMs = 600_000;

/** Removes idempotency keys that expired. */
export const startCallKeySweep = (keys: CallKeys, log: Log): Loop =>
  startLoop({ name: 'call-keys', log, everyMs, work: () => keys.sweep() });
