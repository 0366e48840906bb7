import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertInvariants } from '../../../tests/invariants/assert-invariants.ts';
import { newRun, useLedger } from './testing/ledger.ts';
import {
  daysOf,
  emptyModel,
  explain,
  grantKeys,
  type Command,
  type GrantKey,
  type Model,
} from './testing/ledger-model.ts';

const ledger = useLedger();
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const unit = 10_000n;

const run = fc.integer({ min: 0, max: 2 });
const tokens = fc.integer({ min: 0, max: 1_500 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('top-up' as const),
      key: fc.constantFrom(...grantKeys),
      amount: fc.constantFrom(700, 1_500),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('claw-back' as const), key: fc.constantFrom(...grantKeys) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('authorize' as const),
      run,
      amount: fc.constantFrom(300, 1_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('extend' as const),
      run,
      amount: fc.constantFrom(0, 200),
      tokens,
      seq: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), run, tokens }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), run }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'sweep' as const }) },
);
/** The clock moves between rounds; the commands of a round are given at the same moment. */
const clock = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.record({ due: run }) },
  { weight: 1, arbitrary: fc.record({ ends: fc.constantFrom('TRIAL' as const, 'PLAN' as const) }) },
);
const round = fc.record({ clock, commands: fc.array(command, { minLength: 1, maxLength: 4 }) });

it(`answers and ends as some order of the commands of each moment would (SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 3, maxLength: 12 }), async (rounds) => {
      ledger.anotherOrganization();
      const runs = [0, 1, 2].map(newRun);
      let states: Model[] = [emptyModel()];
      let ended = 0;
      for (const { clock: moved, commands } of rounds) {
        if (moved && 'due' in moved) {
          await ledger.makeDue(runs[moved.due]!);
          for (const { runs: held } of states) if (held[moved.due]) held[moved.due]!.due = true;
        } else if (moved) {
          await ledger.endGrants(moved.ends);
          const ends = -1_000 + ++ended;
          for (const state of states) {
            if (state.exists) state.marked = true;
            const grant = state.grants[moved.ends];
            if (grant) grant.ends = ends;
          }
        }
        const answers = await Promise.all(commands.map((one) => give(one, runs)));
        const before = states;
        states = explain(
          before,
          commands.map((one, index) => ({ command: one, answer: answers[index]! })),
        );
        const facts = await seen(runs);
        states = states.filter((state) => JSON.stringify(of(state)) === JSON.stringify(facts));
        const unexplained = states.length > 0 ? null : { before, moved, commands, answers, facts };
        expect(JSON.stringify(unexplained, null, 1)).toBe('null');
      }
      await assertInvariants(ledger.adminUrl);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60), seed, interruptAfterTimeLimit: 20_000 },
  );
}, 60_000);

async function give(one: Command, runs: readonly string[]): Promise<string> {
  const id = 'run' in one ? runs[one.run]! : '';
  const units = (text: string): string => String(BigInt(text) / unit);
  const again = (replayed: boolean): string => (replayed ? ' replayed' : '');
  switch (one.kind) {
    case 'top-up': {
      const days = daysOf[one.key];
      const more = { key: one.key, ...(days === undefined ? {} : { expiresAfterDays: days }) };
      const answer = await ledger.grant(BigInt(one.amount) * unit, one.key, more);
      return answer.ok ? `ok${again(answer.value.replayed)}` : answer.error.code;
    }
    case 'claw-back': {
      const answer = await ledger.clawBack(one.key);
      if (!answer.ok) return answer.error.code;
      return `taken ${units(answer.value.taken)} owed ${units(answer.value.receivable)}${again(answer.value.replayed)}`;
    }
    case 'authorize': {
      const answer = await ledger.authorize(id, {
        amount: BigInt(one.amount) * unit,
        bodyHash: `${one.amount}`,
      });
      if (!answer.ok) return answer.error.code;
      return `${answer.value.status} ${units(answer.value.amount)}${again(answer.value.replayed)}`;
    }
    case 'extend': {
      const answer = await ledger.extend(id, {
        ...one,
        amount: BigInt(one.amount) * unit,
        tokens: BigInt(one.tokens),
      });
      return answer.ok ? `${units(answer.value.amount)}${again(answer.value.replayed)}` : answer.error.code;
    }
    case 'settle': {
      const answer = await ledger.settle(id, BigInt(one.tokens));
      if (!answer.ok) return answer.error.code;
      return `charge ${units(answer.value.charge)} after ${units(answer.value.balanceAfter)}${again(answer.value.replayed)}`;
    }
    case 'release': {
      const answer = await ledger.release(id);
      return answer.ok
        ? `${answer.value.state} ${units(answer.value.charge)}${again(answer.value.replayed)}`
        : answer.error.code;
    }
    case 'sweep': {
      const { failures } = await ledger.sweep();
      return failures.length ? JSON.stringify(failures) : 'swept';
    }
  }
}

/** The parts of a state that the database shows too. */
const of = (state: Model) => ({
  wallet: state.exists ? [state.balance, state.reserved, state.debt] : null,
  grants: grantKeys.map((key) => state.grants[key]?.remaining ?? null),
  runs: [0, 1, 2].map((index) =>
    state.runs[index] ? `${state.runs[index].status} ${state.runs[index].charged}` : null,
  ),
});

async function seen(runs: readonly string[]) {
  const { rows } = await ledger.admin.query<{
    wallet: number[] | null;
    grants: Partial<Record<GrantKey, number>>;
    runs: Record<string, string>;
  }>(
    `select (select json_build_array(balance / $2, reserved / $2, debt / $2) from wallet where organization_id = $1) as wallet,
       (select coalesce(json_object_agg(kind, remaining / $2), '{}') from grants where organization_id = $1) as grants,
       (select coalesce(json_object_agg(id, status || ' ' || charged / $2), '{}') from reservation where organization_id = $1) as runs`,
    [ledger.organizationId, unit.toString()],
  );
  const { wallet, grants, runs: held } = rows[0]!;
  return {
    wallet,
    grants: grantKeys.map((key) => grants[key] ?? null),
    runs: runs.map((id) => held[id] ?? null),
  };
}
