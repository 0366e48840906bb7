import { organizationScope, requireCaller, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { ServiceError, UnavailableError } from '@agentstore/kernel/service-client';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { releaseCredits, reserveCredits } from './reserve-credits.ts';
import { claimStart, dropAbandonedKey, setKeyState, type RunKey } from './run-keys.store.ts';
import {
  decideRoom,
  decideStart,
  tooManyRuns,
  type InstanceFacts,
  type Run,
  type RunRefusal,
} from './run.ts';
import { queueRun, runById } from './runs.store.ts';

export interface StartRun {
  /** Undefined when the client's id is none of an instance: refused as not found. */
  readonly instanceId: Uuid | undefined;
  readonly input: string;
  /** Null when the client's id is none of a conversation; undefined opens one. */
  readonly conversationId: Uuid | null | undefined;
  readonly idempotencyKey: string;
  readonly maxCharge?: bigint | undefined;
}

const notFound: RunRefusal = {
  code: 'INSTANCE_NOT_FOUND',
  message: 'There is no such instance.',
  field: 'instanceId',
};
const noChoice: RunRefusal = {
  code: 'INVALID_INPUT',
  message: 'A visitor cannot say what a run may be charged.',
  field: 'maxCharge',
};
const capReached: RunRefusal = {
  code: 'VISITOR_CAP_REACHED',
  message: 'Your share of this agent is used up for now.',
};
const conflict: RunRefusal = {
  code: 'IDEMPOTENCY_CONFLICT',
  message: 'This key was used for another run.',
  field: 'idempotencyKey',
};

/**
 * Starts a run once per key: the instance may be run → credits are reserved under the run's id → the run is queued. The run's id is fixed
 * by the key before anything is reserved, so a retry after a crash finds its own reservation; what nobody retries is taken back by the sweep.
 * A visitor's run may be charged what is left of their cap, so that their next one waits until it has ended.
 */
export async function startRun(
  room: Room,
  caller: Caller,
  input: StartRun,
): Promise<Outcome<Run, RunRefusal>> {
  requireCaller(caller);
  const invalid = faultOf(room, input);
  if (invalid) return refused(invalid);
  const visitor = caller.kind === 'WIDGET_SESSION' ? caller : undefined;
  if (visitor && input.instanceId !== visitor.instanceId) return refused(notFound);
  if (visitor && input.maxCharge !== undefined) return refused(noChoice);
  const facts = input.instanceId ? await factsOf(room, input.instanceId) : undefined;
  const scope = facts && organizationScope(caller, facts.organizationId, 'run:start');
  if (!facts || !scope) return refused(notFound);
  // Twice, because a key may stand for a start that was given up: it is freed, and this one takes it.
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = await attemptStart(room, scope, facts, {
      ...input,
      spendCap: visitor ? BigInt(visitor.spendCap) : null,
    });
    if (outcome) return outcome;
  }
  throw new UnavailableError('runs', 'the idempotency key is being freed');
}

/** One attempt; undefined when the key stood for a start that was given up and is free again. */
async function attemptStart(
  room: Room,
  scope: Scope,
  facts: InstanceFacts,
  input: StartRun & { readonly spendCap: bigint | null },
): Promise<Outcome<Run, RunRefusal> | undefined> {
  const { instanceId } = facts;
  const { conversationId, maxCharge, spendCap } = input;
  const bodyHash = hashOf({ instanceId, input: input.input, conversationId, maxCharge });
  const { key, active, conversationIsKnown, share } = await claimStart(room.db, scope, {
    key: input.idempotencyKey,
    bodyHash,
    runId: uuidv7(),
    instanceId,
    conversationId: conversationId ?? null,
    spendCap,
  });
  if (key.bodyHash !== bodyHash) return refused(conflict);
  if (key.state === 'STARTED') return done(await startedRun(room, scope, key));
  if (key.state === 'ABANDONED') return takeBack(room, scope, key);

  const decision = decideStart(facts);
  if (!decision.ok) return decision;
  if (conversationId !== undefined && !conversationIsKnown)
    return refused({
      code: 'CONVERSATION_NOT_FOUND',
      message: 'There is no such conversation of this instance.',
      field: 'conversationId',
    });
  const full = decideRoom(facts, active);
  if (full) return refused(full);
  const reserved = await reserveCredits(room.billing, facts, {
    runId: key.runId,
    maxCharge: share?.maxCharge ?? maxCharge,
  });
  if (reserved.kind === 'refused' && share && reserved.refusal.code === 'MAX_CHARGE_TOO_LOW') {
    // The key would keep its maximum; freed, it gets another one when there is room again.
    await takeBack(room, scope, key);
    return refused(share.held ? tooManyRuns(facts) : capReached);
  }
  if (reserved.kind === 'refused') return refused(reserved.refusal);
  if (reserved.kind === 'spent') return takeBack(room, scope, key);

  const queued = await queueRun(room.db, scope, {
    key,
    facts,
    conversationId: conversationId ?? null,
    title: input.input.trim().slice(0, 80),
    input: input.input,
    spendCap,
  });
  if (queued === 'STARTED') return done(await startedRun(room, scope, key));
  if (typeof queued === 'object') return done(queued);
  await takeBack(room, scope, key);
  if (queued === 'SPENT') return refused(capReached);
  return queued === 'FULL' ? refused(tooManyRuns(facts)) : undefined;
}

const startedRun = async (room: Room, scope: Scope, key: RunKey): Promise<Run> =>
  (await room.db.transaction(scope, (tx) => runById(tx, key.runId)))!;

/** Gives back what a start reserved that will not be, then frees its key. */
async function takeBack(room: Room, scope: Scope, key: RunKey): Promise<undefined> {
  await room.db.transaction(scope, (tx) => setKeyState(tx, key, 'ABANDONED'));
  await releaseCredits(room.billing, {
    organizationId: key.organizationId,
    runId: key.runId,
    reason: 'the run was not queued',
  });
  await room.db.transaction(scope, (tx) => dropAbandonedKey(tx, key));
}

function faultOf(room: Room, input: StartRun): RunRefusal | undefined {
  const invalid = (field: string, message: string): RunRefusal => ({ code: 'INVALID_INPUT', message, field });
  if (!input.input.trim() || input.input.length > room.maxInputCharacters)
    return invalid('input', `The input must have 1 to ${room.maxInputCharacters} characters.`);
  if (input.input.includes('\0')) return invalid('input', 'The input must not contain a NUL character.');
  if (!/^[\x20-\x7e]{1,200}$/.test(input.idempotencyKey))
    return invalid('idempotencyKey', 'The idempotency key must have 1 to 200 printable ASCII characters.');
  if (input.maxCharge !== undefined && input.maxCharge <= 0n)
    return invalid('maxCharge', 'The most to charge must be more than zero.');
  return undefined;
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
