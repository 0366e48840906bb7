/** The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): how little the first places weigh more than the next. */
const k = 60;

/** One order out of several by reciprocal rank: best first, each with 1 when it is the first of all rankings. */
export function fuseRankings(rankings: readonly (readonly string[])[]): { id: string; score: number }[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings)
    for (const [place, id] of ranking.entries())
      scores.set(id, (scores.get(id) ?? 0) + (k + 1) / (k + 1 + place) / rankings.length);
  return [...scores]
    .map(([id, score]) => ({ id, score }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
