/** What the ledger should do, in memory and one command at a time. Amounts are hundredths of a credit: a run costs 100, a token 1. */

export type Command =
  | { readonly kind: 'top-up'; readonly key: GrantKey; readonly amount: number }
  | { readonly kind: 'claw-back'; readonly key: GrantKey }
  | { readonly kind: 'authorize'; readonly run: number; readonly amount: number }
  | {
      readonly kind: 'extend';
      readonly run: number;
      readonly amount: number;
      readonly tokens: number;
      readonly seq: number;
    }
  | { readonly kind: 'settle'; readonly run: number; readonly tokens: number }
  | { readonly kind: 'release'; readonly run: number }
  | { readonly kind: 'sweep' };

/** One key per kind, so that the order of burning is decided by kind alone. */
export const grantKeys = ['TRIAL', 'PROMO', 'PLAN', 'PAID'] as const;
export type GrantKey = (typeof grantKeys)[number];
/** Days until a grant ends; its order among grants that end. */
export const daysOf: Readonly<Record<GrantKey, number | undefined>> = {
  TRIAL: 50,
  PROMO: undefined,
  PLAN: 200,
  PAID: 100,
};

interface ModelGrant {
  granted: number;
  remaining: number;
  ends: number;
  revoked: boolean;
  clawed: string;
}
interface ModelRun {
  status: string;
  amount: number;
  body: number;
  due: boolean;
  charged: number;
  checkpoint: number | null;
  seq: number;
  /** The last seq whose raise was granted. */
  raised: number;
  billed: boolean;
  after: number;
}
export interface Model {
  exists: boolean;
  balance: number;
  reserved: number;
  debt: number;
  /** The wallet knows of an end that is over, so reserving looks at the grants first. */
  marked: boolean;
  grants: Partial<Record<GrantKey, ModelGrant>>;
  /** Top-ups that were taken back before they came. */
  crossed: Partial<Record<GrantKey, true>>;
  runs: Record<number, ModelRun>;
}
export const emptyModel = (): Model => ({
  exists: false,
  balance: 0,
  reserved: 0,
  debt: 0,
  marked: false,
  grants: {},
  crossed: {},
  runs: {},
});

type Step = [Model, string];
const priced = (tokens: number): number => 100 + tokens;
const over = (grant: ModelGrant): boolean => grant.ends < 0;
const dueRuns = (m: Model, except?: number): number[] =>
  Object.keys(m.runs)
    .map(Number)
    .filter((run) => run !== except && m.runs[run]!.status === 'OPEN' && m.runs[run]!.due);

function draw(m: Model, amount: number): void {
  const order = grantKeys.map((key) => m.grants[key]).filter((grant) => grant !== undefined);
  for (const grant of [...order.filter((g) => !over(g)), ...order.filter(over)]) {
    const take = Math.min(grant.remaining, amount);
    grant.remaining -= take;
    amount -= take;
  }
}

function charge(m: Model, run: ModelRun, price: number, final: boolean): void {
  const delta = price - run.charged;
  if (run.billed && delta <= 0) {
    if (final) run.status = 'SETTLED';
    return;
  }
  const held = run.status === 'OPEN' ? run.amount : 0;
  const taken = Math.min(delta, m.balance - (m.reserved - held));
  m.balance -= taken;
  m.reserved -= held;
  m.debt += delta - taken;
  draw(m, taken);
  Object.assign(run, {
    charged: price,
    billed: true,
    after: m.balance,
    status: final ? 'SETTLED' : 'EXPIRED',
  });
}

function expireRun(m: Model, run: ModelRun): void {
  if (run.checkpoint !== null) return charge(m, run, run.checkpoint, false);
  run.status = 'EXPIRED';
  m.reserved -= run.amount;
}

function expireGrants(m: Model): void {
  const due = Object.values(m.grants).filter((g) => g.remaining > 0 && (over(g) || g.revoked));
  for (const grant of due.sort((a, b) => Number(b.revoked) - Number(a.revoked) || a.ends - b.ends)) {
    const collect = grant.revoked && m.debt > 0;
    if (!collect && !over(grant)) continue;
    const take = Math.min(grant.remaining, m.balance - m.reserved, collect ? m.debt : grant.remaining);
    if (take <= 0) break;
    grant.remaining -= take;
    m.balance -= take;
    if (collect) m.debt -= take;
  }
  m.marked = Object.values(m.grants).some((g) => g.remaining > 0 && (over(g) || (g.revoked && m.debt > 0)));
}

/**
 * Reserving looks at what is due only when it finds too little. Beside other commands it may have found too little a moment before, and may pass
 * over what another holds, as long as it does not refuse for it: one outcome per such choice.
 */
function reserve(
  before: Model,
  run: number,
  amount: number,
  alone: boolean,
): { model: Model; refused?: string }[] {
  if (!before.exists) return [{ model: before, refused: 'WALLET_NOT_FOUND' }];
  const enough = !before.marked && before.balance - before.reserved >= amount;
  const atOnce = { model: { ...structuredClone(before), reserved: before.reserved + amount } };
  if (enough && alone) return [atOnce];
  const due = dueRuns(before, run);
  const looked = subsets(due, alone).flatMap((chosen): { model: Model; refused?: string }[] => {
    const m = structuredClone(before);
    for (const one of chosen) expireRun(m, m.runs[one]!);
    expireGrants(m);
    if (m.balance - m.reserved < amount)
      return chosen.length === due.length ? [{ model: m, refused: 'INSUFFICIENT_CREDITS' }] : [];
    m.reserved += amount;
    return [{ model: m }];
  });
  return enough ? [atOnce, ...looked] : looked;
}

const subsets = (of: readonly number[], whole: boolean): number[][] =>
  whole
    ? [[...of]]
    : of.reduce<number[][]>((made, one) => [...made, ...made.map((set) => [...set, one])], [[]]);

/** Every way one command can go from here: the state after it, and the answer. `alone` when nothing runs beside it. */
export function apply(before: Model, command: Command, alone: boolean): Step[] {
  const m = structuredClone(before);
  const run = 'run' in command ? m.runs[command.run] : undefined;
  const same = (answer: string): Step[] => [[before, answer]];
  switch (command.kind) {
    case 'top-up': {
      if (m.crossed[command.key]) return same('TOP_UP_REVOKED');
      const first = m.grants[command.key];
      if (first) return same(first.granted === command.amount ? 'ok replayed' : 'IDEMPOTENCY_CONFLICT');
      const repaid = Math.min(m.debt, command.amount);
      Object.assign(m, { exists: true, balance: m.balance + command.amount - repaid, debt: m.debt - repaid });
      m.grants[command.key] = {
        granted: command.amount,
        remaining: command.amount - repaid,
        ends: daysOf[command.key] ?? Infinity,
        revoked: false,
        clawed: '',
      };
      return [[m, 'ok']];
    }
    case 'claw-back': {
      const grant = m.grants[command.key];
      if (!grant) {
        if (m.crossed[command.key]) return same('taken 0 owed 0 replayed');
        m.crossed[command.key] = true;
        return [[m, 'taken 0 owed 0']];
      }
      if (grant.revoked) return same(`${grant.clawed} replayed`);
      const taken = Math.min(grant.remaining, m.balance - m.reserved);
      grant.clawed = `taken ${taken} owed ${grant.granted - taken}`;
      if (grant.remaining > taken) m.marked = true;
      Object.assign(grant, { remaining: grant.remaining - taken, revoked: true });
      Object.assign(m, { balance: m.balance - taken, debt: m.debt + grant.granted - taken });
      return [[m, grant.clawed]];
    }
    case 'authorize':
      if (run)
        return same(
          run.body === command.amount ? `${run.status} ${run.amount} replayed` : 'IDEMPOTENCY_CONFLICT',
        );
      return reserve(m, command.run, command.amount, alone).map(({ model, refused }) => {
        // A denial is one transaction too: what it reclaimed on its way stays reclaimed.
        if (refused) return [model, refused];
        model.runs[command.run] = {
          status: 'OPEN',
          amount: command.amount,
          body: command.amount,
          due: false,
          charged: 0,
          checkpoint: null,
          seq: 0,
          raised: 0,
          billed: false,
          after: 0,
        };
        return [model, `OPEN ${command.amount}`];
      });
    case 'extend': {
      if (!run) return same('RESERVATION_NOT_FOUND');
      if (run.status !== 'OPEN') return same('RESERVATION_NOT_OPEN');
      if (command.seq <= run.raised) {
        run.due = false;
        return [[m, `${run.amount} replayed`]];
      }
      const wanted = Math.max(run.amount + command.amount, priced(command.tokens));
      const raise = wanted - run.amount;
      const ways = raise > 0 ? reserve(m, command.run, raise, alone) : [{ model: m }];
      return ways.map(({ model, refused }: { model: Model; refused?: string }) => {
        const own = model.runs[command.run]!;
        own.due = false;
        if (own.checkpoint === null || command.seq > own.seq)
          Object.assign(own, { checkpoint: priced(command.tokens), seq: command.seq });
        if (refused) return [model, refused];
        Object.assign(own, { amount: wanted, raised: command.seq });
        return [model, `${own.amount}`];
      });
    }
    case 'settle': {
      if (!run) return same('RESERVATION_NOT_FOUND');
      if (run.status === 'RELEASED') return same('RESERVATION_RELEASED');
      const replayed = run.status === 'SETTLED' ? ' replayed' : '';
      if (!replayed) charge(m, run, priced(command.tokens), true);
      return [[m, `charge ${run.charged} after ${run.after}${replayed}`]];
    }
    case 'release':
      if (!run) return same('RESERVATION_NOT_FOUND');
      if (run.status !== 'OPEN') return same(`${run.status} ${run.charged} replayed`);
      run.status = 'RELEASED';
      m.reserved -= run.amount;
      return [[m, 'RELEASED 0']];
    case 'sweep': {
      // Which wallets have ended grants is seen at the start; beside other commands that may have been before or after them.
      const ended =
        m.balance > m.reserved &&
        Object.values(m.grants).some((g) => g.remaining > 0 && (over(g) || (g.revoked && m.debt > 0)));
      return subsets(dueRuns(m), alone).flatMap((chosen) =>
        (alone ? [ended] : [true, false]).map((look): Step => {
          const after = structuredClone(m);
          for (const one of chosen) expireRun(after, after.runs[one]!);
          if (look && after.exists) expireGrants(after);
          return [after, 'swept'];
        }),
      );
    }
  }
}

/** The states in which the ledger may be after these commands were given at one moment and answered so; none when no order explains it. */
export function explain(
  states: readonly Model[],
  round: readonly { command: Command; answer: string }[],
): Model[] {
  const found = new Map<string, Model>();
  const walk = (state: Model, left: readonly { command: Command; answer: string }[]): void => {
    if (left.length === 0) return void found.set(JSON.stringify(state), state);
    left.forEach(({ command, answer }, index) => {
      for (const [next, said] of apply(state, command, round.length === 1))
        if (said === answer) walk(next, left.toSpliced(index, 1));
    });
  };
  // Reserving that is asked again, since another command was at work, keeps what its first attempt reclaimed.
  const reserves = round.some(({ command }) => command.kind === 'authorize' || command.kind === 'extend');
  const reclaimed = { command: { kind: 'sweep' as const }, answer: 'swept' };
  for (const state of states) walk(state, round.length > 1 && reserves ? [...round, reclaimed] : round);
  return [...found.values()];
}
