import type { Permission } from '@agentstore/kernel/permissions';

/** Audience of the tokens that our own processes send each other. */
export const serviceAudience = 'agentstore:internal';

/** Every service client and the permissions it may ask for: what its process calls at the others, and nothing more. */
export const servicePermissions: Readonly<Record<string, readonly Permission[]>> = {
  router: ['callers:resolve', 'applied:read', 'widget:session'],
  'control-plane': ['wallet:topup', 'billing:rate', 'audit:read'],
  runs: ['instance:entitlements', 'billing:authorize', 'billing:settle'],
  rag: ['instance:entitlements'],
  runner: ['run:execute', 'billing:settle'],
  tools: ['applied:read', 'connector:read', 'run:tool', 'knowledge:search'],
  gitops: ['gitops:write', 'gitops:observe'],
  provisioner: ['order:grant', 'wallet:topup'],
  billing: [], // calls nobody
  // Whoever fills a new store: puts the catalogue.
  seed: ['offering:publish'],
};
