import { expect, it } from 'vitest';
import { createLog } from '@agentstore/kernel/log';
import { createTeardown } from './teardown.ts';

it('stops the last first, and the rest although one fails and one hangs', async () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', destination: { write: (line: string) => void lines.push(line) } });
  const teardown = createTeardown(log, 10);
  const stopped: string[] = [];
  teardown.later('database', async () => stopped.push('database'));
  teardown.later('hanging', () => new Promise(() => undefined));
  teardown.later('failing', () => Promise.reject(new Error('no')));
  teardown.later('throwing', () => {
    throw new Error('at once');
  });
  teardown.later('router', async () => stopped.push('router'));
  await Promise.all([teardown.run(), teardown.run()]);
  expect(stopped).toEqual(['router', 'database']);
  expect(lines.map((line) => (JSON.parse(line) as { part: string }).part)).toEqual([
    'throwing',
    'failing',
    'hanging',
  ]);
});
