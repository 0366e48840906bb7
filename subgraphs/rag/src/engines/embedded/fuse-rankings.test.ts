import { expect, test } from 'vitest';
import { fuseRankings } from './fuse-rankings.ts';

test('what several rankings find comes before what one finds alone', () => {
  const fused = fuseRankings([
    ['words', 'both', 'tail'],
    ['vector', 'both'],
  ]);
  expect(fused.map(({ id }) => id)).toEqual(['both', 'vector', 'words', 'tail']);
});

test('the first of all rankings has 1, and nothing more', () => {
  expect(fuseRankings([['a', 'b'], ['a']])[0]).toEqual({ id: 'a', score: 1 });
  expect(fuseRankings([['a']])).toEqual([{ id: 'a', score: 1 }]);
  expect(fuseRankings([[], []])).toEqual([]);
});
