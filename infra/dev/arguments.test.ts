import path from 'node:path';
import { expect, it } from 'vitest';
import { parseDevArguments } from './arguments.ts';

it('has defaults for everything', () => {
  expect(parseDevArguments([])).toEqual({
    stateDir: path.resolve(import.meta.dirname, '../../.agentstore'),
    runtime: 'dev',
    port: undefined,
    demo: true,
    verbose: false,
  });
});

it('reads every option', () => {
  expect(
    parseDevArguments(['--runtime', 'lfx', '--port', '4100', '--state', 'x', '--no-demo', '--verbose']),
  ).toEqual({ stateDir: path.resolve('x'), runtime: 'lfx', port: 4100, demo: false, verbose: true });
});

it('asks for help', () => {
  expect(parseDevArguments(['--help'])).toBe('help');
});

it.each([
  [['--runtime', 'other'], '--runtime is dev or lfx, not other'],
  [['--port', '0'], '--port must be a port number'],
  [['--port', '65536'], '--port must be a port number'],
  [['--port', '4e3.5'], '--port must be a port number'],
  [['--port', ''], '--port must be a port number'],
  [['--state', ''], '--state must name a directory'],
  [['--nonsense'], 'nonsense'],
  [['surplus'], 'surplus'],
])('refuses %j', (argv, message) => {
  expect(() => parseDevArguments(argv)).toThrow(message);
});
