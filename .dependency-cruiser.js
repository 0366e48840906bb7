/** Import rules of the house (docs/architecture.md). Run by tests/architecture, which also counts the files read. */
const domain = '(\\.(graphql|http|store|table|task|test)|/(main|app|config|deps|schema|builder))\\.ts$';

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
      name: 'domain-knows-no-transport',
      comment:
        'Decisions, use cases and stores are the same whether asked over GraphQL, REST or by a worker.',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/src/', pathNot: domain },
      to: {
        path: '^(kernel/src/graphql/|node_modules/(graphql|graphql-yoga|graphql-ws|@pothos|ws|hono)/)',
        pathNot: '^kernel/src/graphql/connection\\.ts$',
      },
    },
    {
      name: 'only-stores-touch-tables',
      comment: 'SQL has one address per noun.',
      severity: 'error',
      from: { path: '^(subgraphs|workers)/', pathNot: '\\.(store|table|test)\\.ts$' },
      to: { path: '\\.table\\.ts$' },
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
    exclude: { path: '(^|/)node_modules/|^\\.agentstore/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
