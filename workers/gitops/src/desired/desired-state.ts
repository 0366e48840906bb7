import type { Artifact } from '../deps.ts';
import { subjects, type Subject } from './subjects.ts';

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

/** What the knowledge subgraph wants of one knowledge base, at one generation. */
export interface DesiredKnowledgeBase {
  readonly knowledgeBaseId: string;
  readonly generation: number;
  readonly organizationId: string;
  readonly organizationSlug: string;
  readonly projectId: string;
  readonly projectSlug: string;
  readonly actor: string;
  readonly phase: 'Active' | 'Deleted';
  readonly name: string;
  /** Null: found out for each document. */
  readonly language: string | null;
  readonly limits: { readonly documents: number; readonly bytes: number };
  readonly engine:
    | { readonly kind: 'Embedded' }
    | {
        readonly kind: 'Ragflow';
        readonly datasetName: string;
        readonly chunkMethod: string;
        readonly parser: {
          readonly autoKeywords: number;
          readonly autoQuestions: number;
          readonly raptor: boolean;
          readonly graphrag: boolean;
        };
      };
}

/** Desired state of whatever there is desired state of. */
export type Desired = DesiredState | DesiredKnowledgeBase;

/** One in line for Git. */
export type Queued<State extends Desired = Desired> = State & { readonly outboxId: string };
export type QueuedState = Queued<DesiredState>;

export const isKnowledge = (state: Desired): state is DesiredKnowledgeBase => 'knowledgeBaseId' in state;
export const subjectOf = (state: Desired): Subject => (isKnowledge(state) ? 'knowledgeBase' : 'instance');
export const idOf = (state: Desired): string =>
  isKnowledge(state) ? state.knowledgeBaseId : state.instanceId;

/** Its folder in the repository. */
export const folderOf = (environment: string, state: Desired): string =>
  `clusters/${environment}/${subjects[subjectOf(state)].folder}/${state.organizationSlug}/${state.projectSlug}/${idOf(state)}`;
