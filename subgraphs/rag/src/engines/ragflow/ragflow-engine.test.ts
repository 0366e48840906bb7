import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog, createLog } from '@agentstore/kernel/log';
import { UnavailableError } from '@agentstore/kernel/service-client';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { startRagflow, type Ragflow } from '../../../../../infra/dev/ragflow/ragflow.ts';
import { describeEngine } from '../conformance.ts';
