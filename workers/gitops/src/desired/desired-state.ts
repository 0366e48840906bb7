import type { Artifact } from '../deps.ts';

/** What the tool gateway is to make of calls of one tool. */
export type ConnectorRule =
  | { readonly tool: string; readonly action: 'Deny' }
  | {
      readonly tool: string;
      readonly action: 'Allow';
      /** The tool's own name in its connector. */
      readonly name: string;
      /** sha256 of the connector's definition. */
      readonly definition: string;
      /** Whose secret is used; connectors that need none have none. */
      readonly bindingId?: string;
      /** JSON Schema that arguments have to satisfy besides the tool's own. */
      readonly arguments?: object;
    };

/** What the control plane wants of one instance, at one generation. */
export interface DesiredState {
  readonly instanceId: string;
  readonly generation: number;
  readonly organizationId: string;
  readonly organizationSlug: string;
  readonly projectId: string;
  readonly projectSlug: string;
  readonly actor: string;
  readonly phase: 'Active' | 'Paused' | 'Terminated';
  readonly offering: { readonly id: string; readonly slug: string };
  readonly version: { readonly id: string; readonly version: string };
  readonly artifact: Artifact;
  readonly plan: { readonly id: string; readonly code: string };
  readonly config: Readonly<Record<string, unknown>>;
  readonly limits: { readonly maxRunSeconds: number; readonly maxConcurrentRuns: number };
  readonly entitlements: readonly { readonly capability: string; readonly limits: object }[];
  readonly connectorRules: readonly ConnectorRule[];
}

/** One in line for Git. */
export interface QueuedState extends DesiredState {
  readonly outboxId: string;
}

/** Folder of an instance in the repository. */
export const folderOf = (
  environment: string,
  state: Pick<DesiredState, 'organizationSlug' | 'projectSlug' | 'instanceId'>,
): string =>
  `clusters/${environment}/instances/${state.organizationSlug}/${state.projectSlug}/${state.instanceId}`;
