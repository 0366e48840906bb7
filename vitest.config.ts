import os from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * `unit` sits beside the source and `e2e` goes through the router; both are `npm test`. `contract` also needs real servers.
 * Every project shares one Postgres cluster (tests/setup/cluster.ts); each file that asks for a database gets its own clone.
 */
// Vite would take graphql's `module` entry for our own imports while packages load the CommonJS one: two realms, which graphql refuses.
const resolve = { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] };

const shared = {
  globalSetup: ['./tests/setup/cluster.ts'],
  pool: 'forks' as const,
  // How long a machine that others load may take, not how long a test takes: what never comes is a failure all the same.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000, interval: 10 } },
};

export default defineConfig({
  test: {
    // One more than cores: some test always waits for a process or a timer. The cluster has connections for so many.
    maxWorkers: Math.min(6, os.availableParallelism() + 1),
    // Worker processes of the browser suite close a browser and a store.
    teardownTimeout: 60_000,
    projects: [
      {
        resolve,
        test: {
          ...shared,
          name: 'unit',
          include: [
            '{kernel,schema,subgraphs,router,widget,workers,infra}/**/*.test.{ts,tsx}',
            'tests/{architecture,invariants}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
        },
      },
      { resolve, test: { ...shared, name: 'e2e', include: ['tests/e2e/**/*.test.ts'] } },
      {
        resolve,
        test: {
          ...shared,
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 180_000,
        },
      },
      {
        resolve,
        test: {
          ...shared,
          name: 'contract',
          include: ['tests/contract/**/*.test.ts'],
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
