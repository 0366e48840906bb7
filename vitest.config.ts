import { defineConfig } from 'vitest/config';

/**
 * `unit` sits beside the source and `e2e` goes through the router; both are `npm test`. `contract` also needs real servers.
 * Every project shares one Postgres cluster (kernel/src/testing/cluster.ts); each file that asks for a database gets its own clone.
 */
const shared = {
  globalSetup: ['./tests/setup/cluster.ts'],
  pool: 'forks' as const,
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['{kernel,schema,subgraphs,router,workers,infra}/**/*.test.ts', 'tests/architecture/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.contract.test.ts'],
        },
      },
      { test: { ...shared, name: 'e2e', include: ['tests/e2e/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { ...shared, name: 'contract', include: ['tests/contract/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 300_000 } },
    ],
  },
});
