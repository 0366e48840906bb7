import { createLog } from '../log.ts';
import { runProcess } from '../run-process.ts';

/**
 * A process for run-process.test.ts, which talks to it over IPC: it tells of each signal after it was served and of its closing, and its
 * app stops when it is told to: `end` in order, `fail` with an error. With the argument `listens` it takes requests until then.
 */
const told = Promise.withResolvers<string>();
process.on('message', (message) => told.resolve(String(message)));

await runProcess({
  app: {
    name: 'stoppable',
    fetch: async () => new Response(),
    start: async () => undefined,
    stop: async () => {
      if ((await told.promise) === 'fail') throw new Error('a task hangs');
    },
  },
  host: '127.0.0.1',
  port: 0,
  log: createLog({ name: 'stoppable', level: 'silent' }),
  shutdownSeconds: 1,
  listensToTheEnd: process.argv.includes('listens'),
  close: async () => void process.stdout.write('closed'),
});
process.on('SIGINT', () => process.send?.('signal')).on('SIGTERM', () => process.send?.('signal'));
process.send?.('set up');
