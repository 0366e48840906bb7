/** One observed fact about an applied resource (Kubernetes' condition). */
export interface Condition {
  readonly type: 'Accepted' | 'Ready';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

type Seen = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with what was seen now, or undefined when that is what they say already, so that nothing is written and nobody is told. A condition
 * keeps the time of its last transition while its status stays the same.
 */
export function withCondition(
  known: readonly Condition[],
  seen: Seen,
  now: Date = new Date(),
): readonly Condition[] | undefined {
  const before = known.find(({ type }) => type === seen.type);
  if (
    before?.status === seen.status &&
    before.reason === seen.reason &&
    before.message === seen.message &&
    before.observedGeneration === seen.observedGeneration
  )
    return undefined;
  const lastTransitionTime = before?.status === seen.status ? before.lastTransitionTime : now.toISOString();
  return [...known.filter(({ type }) => type !== seen.type), { ...seen, lastTransitionTime }];
}

/** What a resource whose file was taken over, or was not, says of it. */
export const accepted = (generation: number): Seen => ({
  type: 'Accepted',
  status: 'True',
  reason: 'Valid',
  message: 'The manifest fits its schema.',
  observedGeneration: generation,
});
export const refused = (generation: number, problem: string): Seen => ({
  type: 'Accepted',
  status: 'False',
  reason: 'Invalid',
  // A file's own words may hold what neither PostgreSQL nor a terminal takes.
  message: problem.replace(/\p{C}/gu, '\uFFFD').slice(0, 1_000),
  observedGeneration: generation,
});
