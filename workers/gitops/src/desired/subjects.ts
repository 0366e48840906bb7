import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Deps } from '../deps.ts';

/** What there is desired state of: where it stands in the repository, of which kinds its resources are, and how its owner calls it. */
export const subjects = {
  instance: {
    kinds: ['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'],
    folder: 'instances',
    idMember: 'instanceId',
    trailer: 'Instance',
    words: ['instance', 'an instance'],
    conditionsAt: (id: string) => `/internal/instances/${id}/conditions`,
    /** The state in which its folder goes. */
    gone: 'TERMINATED',
    /** Whether the owner waits for the folder to be gone. */
    toldOfRemoval: false,
  },
  knowledgeBase: {
    kinds: ['KnowledgeBase', 'RagflowKB'],
    folder: 'knowledge',
    idMember: 'knowledgeBaseId',
    trailer: 'KnowledgeBase',
    words: ['knowledge base', 'a knowledge base'],
    conditionsAt: (id: string) => `/internal/knowledge-bases/${id}/conditions`,
    gone: 'DELETED',
    toldOfRemoval: true,
  },
} as const;
export type Subject = keyof typeof subjects;
export type Kind = (typeof subjects)[Subject]['kinds'][number];

export const subjectNames = Object.keys(subjects) as Subject[];
export const kinds: readonly Kind[] = subjectNames.flatMap(
  (subject): readonly Kind[] => subjects[subject].kinds,
);

export const subjectOfKind = (kind: string): Subject =>
  subjectNames.find((subject) => (subjects[subject].kinds as readonly string[]).includes(kind))!;

/** Whoever owns the desired state of one subject. */
export interface Owner {
  readonly subject: Subject;
  readonly client: ServiceClient;
}

/** The owners that this worker writes for. */
export const ownersOf = ({ controlPlane, rag }: Pick<Deps, 'controlPlane' | 'rag'>): readonly Owner[] => [
  { subject: 'instance', client: controlPlane },
  ...(rag ? [{ subject: 'knowledgeBase', client: rag } as const] : []),
];
