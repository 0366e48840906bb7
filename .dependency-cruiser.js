/** Import rules of the house (docs/architecture.md), read by infra/check/imports.ts; tests/architecture shows each of them red. */
const adapter =
  '(\\.(graphql|http|store|table|task|test)|/(main|app|config|deps|schema|builder|respond)|/testing/[^/]+)\\.ts$';

/** A package, wherever npm put it: at the root or beside the workspace that wants another version. */
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;

const transport = [
  '^kernel/src/(graphql|http)/',
  '^(node:)?http[s2]?$',
  packages('graphql', 'graphql-yoga', 'graphql-ws', '@pothos', 'ws', 'hono', 'undici'),
];

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no bottom to start reading at.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-imports-nobody',
      comment: 'The kernel has no business in it; if it needs a subgraph, the code is in the wrong room.',
      severity: 'error',
      from: { path: '^kernel/' },
      to: { path: '^(schema|subgraphs|router|workers|infra|widget|storefront)/' },
    },
    {
      name: 'subgraphs-are-strangers',
      comment:
        'Subgraphs meet in the graph and over internal REST, never by import, so each can be deployed and owned alone.',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/' },
      to: { path: '^(subgraphs/(?!$1/)|router/|workers/|schema/)' },
    },
    {
      name: 'workers-are-strangers',
      comment: 'A worker knows other processes by their internal REST contract.',
      severity: 'error',
      from: { path: '^workers/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(workers/(?!$1/)|subgraphs/|router/|schema/|infra/)' },
    },
    {
      name: 'router-knows-sdl-only',
      comment:
        'The router and the composer meet subgraphs at SDL; schema/print.ts alone loads their schemas.',
      severity: 'error',
      from: { path: '^(router|schema)/', pathNot: '^schema/print\\.ts$|\\.test\\.ts$' },
      to: { path: '^(subgraphs|workers|infra)/' },
    },
    {
      name: 'widget-runs-in-browsers',
      comment:
        "The widget knows the store by its protocol, and of the kernel what is plain data and colours: all else would be in every visitor's download.",
      severity: 'error',
      from: { path: '^widget/(app|loader|elements|react)/', pathNot: '\\.test\\.tsx?$|/testing/' },
      to: {
        path: [
          '^(schema|subgraphs|router|workers|infra)/',
          '^kernel/',
          '^node:',
          packages('graphql', 'zod', '@pothos'),
        ],
        pathNot: '^kernel/src/(branding\\.ts|colour/)',
      },
    },
    {
      name: 'subgraphs-run-without-infra',
      comment: 'What a deployment brings is told to a process by its configuration.',
      severity: 'error',
      from: { path: '^subgraphs/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { path: '^infra/' },
    },
    {
      name: 'domain-knows-no-transport',
      comment:
        'Decisions and use cases are the same whether asked over GraphQL, REST or by a worker. Of the kernel they see the port (service-client.ts).',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/src/', pathNot: adapter },
      to: { path: transport },
    },
    {
      name: 'stores-know-no-transport',
      comment: 'A store may know what a page is (graphql/connection.ts), not who asked for it.',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/src/.*\\.(store|table)\\.ts$' },
      to: {
        path: transport,
        pathNot: '^kernel/src/graphql/connection\\.ts$',
      },
    },
    {
      name: 'decisions-are-pure',
      comment:
        'The file named like its noun (orders/order.ts) decides and reaches nothing: it may name the types of others, and uses kernel values only.',
      severity: 'error',
      from: { path: '^(subgraphs|workers)/[^/]+/src/([a-z-]+)s/\\2\\.ts$' },
      to: {
        pathNot: ['^kernel/src/[^/]+\\.ts$', '^(node:)?crypto$', packages('zod')],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-stores-write-queries',
      comment: 'SQL has one address per noun, whether written by hand or with drizzle.',
      severity: 'error',
      from: { path: '^(subgraphs|workers|router)/', pathNot: '\\.(store|table|test)\\.ts$' },
      to: { path: packages('drizzle-orm') },
    },
    {
      name: 'only-stores-touch-tables',
      comment: 'SQL has one address per noun.',
      severity: 'error',
      from: { path: '^(subgraphs|workers)/', pathNot: '\\.(store|table|test)\\.ts$' },
      to: { path: '\\.table\\.ts$' },
    },
    {
      name: 'kernel-is-the-door',
      comment:
        'What is recorded, and how a secret is asked for, is decided in one place: everybody else uses kernel/src/telemetry.ts and kernel/src/vault.',
      severity: 'error',
      from: {
        path: '^(kernel|subgraphs|router|workers)/',
        pathNot: '^kernel/src/(telemetry[^/]*|testing/telemetry|vault/vault-calls)\\.ts$',
      },
      to: { path: packages('@opentelemetry', 'node-vault') },
    },
    {
      name: 'testing-stays-in-tests',
      comment: 'Factories and test callers must not be reachable from a running process.',
      severity: 'error',
      from: { pathNot: '(\\.test\\.ts$|/testing/|^tests/)' },
      to: { path: '(/testing/|^tests/)' },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main.ts is the composition root of one process: it is started, not imported.',
      severity: 'error',
      from: {},
      to: { path: '/src/main\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.agentstore/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
