import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';

const printed = (interrupted?: AbortSignal) => {
  const lines: string[] = [];
  const progress = createProgress({
    write: (text) => void lines.push(text),
    colour: false,
    ...(interrupted ? { interrupted } : {}),
  });
  return { lines, progress };
};

it('prints a line per step, and what a failing one says', async () => {
  const { lines, progress } = printed();
  await progress.step('first', async (say) => say('done so'));
  await expect(progress.step('second', () => Promise.reject(new Error('no disk')))).rejects.toThrow(
    'no disk',
  );
  expect(lines.join('')).toMatch(/✓ first .* done so\n✗ second .* no disk\n/);
});

it('begins no step once it is interrupted, and shows no failure that came of it', async () => {
  const stop = new AbortController();
  const { lines, progress } = printed(stop.signal);
  const under = progress.step('main job', async () => {
    stop.abort(new Error('interrupted'));
    throw new Error('the socket was closed');
  });
  await expect(under).rejects.toThrow('interrupted');
  await expect(progress.step('next', async () => 1)).rejects.toThrow('interrupted');
  expect(lines).toEqual([]);
});
