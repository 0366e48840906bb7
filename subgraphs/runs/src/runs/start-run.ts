import { organizationScope, requireCaller } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { hashOf } from '@agentstore/kernel/db/once';
import { ServiceError } from '@agentstore/kernel/http/client';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { decideStart, type InstanceFacts, type Run, type RunRefusal } from './run.ts';
import { activeRuns, claimKey, conversationFor, insertRun, runById } from './runs.store.ts';

export interface StartRun {
  readonly instanceId: Uuid | undefined;
  readonly input: string;
  readonly conversationId?: Uuid | undefined;
  readonly idempotencyKey: string;
  readonly maxCharge?: bigint | undefined;
}

/** Seconds a reservation lives without its runner's heartbeat. */
const reservationSeconds = 120;
const notFound: RunRefusal = {
  code: 'INSTANCE_NOT_FOUND',
  message: 'There is no such instance.',
  field: 'instanceId',
};

/**
 * Starts a run once per key: the instance may be run → credits are reserved under the run's id → the run is queued. The run's id is fixed by the
 * key before anything is reserved, so a retry after a crash finds its own reservation; one that nobody retries expires by itself.
 */
export async function startRun(
  room: Room,
  caller: Caller,
  input: StartRun,
): Promise<Outcome<Run, RunRefusal>> {
  requireCaller(caller);
  if (!input.input.trim() || input.input.length > room.maxInputCharacters)
    return refused({
      code: 'INVALID_INPUT',
      message: `The input must have 1 to ${room.maxInputCharacters} characters.`,
      field: 'input',
    });
  if (!input.idempotencyKey || input.idempotencyKey.length > 200)
    return refused({
      code: 'INVALID_INPUT',
      message: 'The idempotency key must have 1 to 200 characters.',
      field: 'idempotencyKey',
    });
  const facts = input.instanceId ? await factsOf(room, input.instanceId) : undefined;
  const scope = facts && organizationScope(caller, facts.organizationId, 'run:start');
  if (!facts || !scope) return refused(notFound);
  const { organizationId, instanceId } = facts;

  const bodyHash = hashOf({
    instanceId,
    input: input.input,
    conversationId: input.conversationId,
    maxCharge: input.maxCharge,
  });
  const claimed = await room.db.transaction(scope, async (tx) => {
    const key = await claimKey(tx, { organizationId, key: input.idempotencyKey, bodyHash, runId: uuidv7() });
    return { ...key, run: await runById(tx, key.runId), active: await activeRuns(tx, instanceId) };
  });
  if (claimed.conflict)
    return refused({
      code: 'IDEMPOTENCY_CONFLICT',
      message: 'This key was used for another run.',
      field: 'idempotencyKey',
    });
  if (claimed.run) return done(claimed.run);

  const decision = decideStart(facts, claimed.active);
  if (!decision.ok) return decision;
  const refusal = await reserve(room, facts, { runId: claimed.runId, maxCharge: input.maxCharge });
  if (refusal) return refused(refusal);
  return room.db.transaction(scope, async (tx): Promise<Outcome<Run, RunRefusal>> => {
    const conversationId = await conversationFor(tx, {
      id: input.conversationId,
      organizationId,
      instanceId,
      title: input.input.slice(0, 80),
    });
    if (!conversationId)
      return refused({
        code: 'CONVERSATION_NOT_FOUND',
        message: 'There is no such conversation of this instance.',
        field: 'conversationId',
      });
    await insertRun(tx, { id: claimed.runId, conversationId, input: input.input, facts });
    return done((await runById(tx, claimed.runId))!);
  });
}

async function factsOf(room: Room, instanceId: Uuid): Promise<InstanceFacts | undefined> {
  try {
    return await room.controlPlane.call<InstanceFacts>(
      'GET',
      `/instances/${instanceId}/entitlements`,
      undefined,
      { deadlineMs: 3_000, retries: 1 },
    );
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    throw error;
  }
}

async function reserve(
  room: Room,
  facts: InstanceFacts,
  run: { runId: Uuid; maxCharge: bigint | undefined },
): Promise<RunRefusal | undefined> {
  const { organizationId, instanceId, offeringId } = facts;
  try {
    const body = {
      organizationId,
      instanceId,
      offeringId,
      runId: run.runId,
      ttlSeconds: reservationSeconds,
      ...(run.maxCharge === undefined ? {} : { maxCharge: run.maxCharge }),
    };
    await room.billing.call('POST', '/billing/authorize', body, { deadlineMs: 3_000, retries: 1 });
    return undefined;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const amount = (name: string): bigint =>
      BigInt(typeof error.facts[name] === 'string' ? error.facts[name] : 0);
    if (error.code === 'INSUFFICIENT_CREDITS') {
      const [required, available, missing] = [amount('required'), amount('available'), amount('missing')];
      return {
        code: 'INSUFFICIENT_CREDITS',
        message: `The run reserves ${required} µcr, ${available} are available: ${missing} are missing.`,
        required,
        available,
        missing,
      };
    }
    if (error.code === 'WALLET_NOT_FOUND')
      return { code: 'INSUFFICIENT_CREDITS', message: 'The organization has no credits yet.', available: 0n };
    if (error.code === 'WALLET_FROZEN') return { code: 'WALLET_FROZEN', message: 'The wallet is frozen.' };
    throw error;
  }
}
