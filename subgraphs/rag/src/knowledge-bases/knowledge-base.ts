import type { Refusal } from '@agentstore/kernel/outcome';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Base, EngineSpec, Language } from '../engines/engine.ts';
import type { Condition } from './condition.ts';

export type KnowledgeBaseState = 'PROVISIONING' | 'READY' | 'DELETING' | 'FAILED';

/** Documents of a project that are searched together. */
export interface KnowledgeBase {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly name: string;
  /** Null: found out for each document. */
  readonly language: Language | null;
  readonly state: KnowledgeBaseState;
  readonly engine: EngineSpec;
  readonly desiredPhase: 'Active' | 'Deleted';
  readonly desiredGeneration: number;
  /** The last generation of which all that is applied was seen to be ready. */
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** Counts the changes of its documents. */
  readonly revision: bigint;
  readonly createdAt: Date;
}

/** A base in the words of engines. */
export const engineBaseOf = ({ organizationId, projectId, id }: KnowledgeBase): Base => ({
  organizationId,
  projectId,
  knowledgeBaseId: id,
});

export const quotaKinds = {
  KNOWLEDGE_BASES: 'Knowledge bases of a project.',
  DOCUMENTS: 'Documents in one knowledge base.',
  BYTES: 'Bytes of all documents of a project.',
};
export type QuotaKind = keyof typeof quotaKinds;

/** A limit of the project's plans that a command would have gone over. */
export interface Quota {
  readonly what: QuotaKind;
  readonly limit: number;
  /** Without what was asked for. */
  readonly used: number;
}

export type QuotaRefusal = Refusal & {
  readonly code: 'NOT_ENTITLED' | 'QUOTA_EXCEEDED';
  readonly quota: Quota;
};

const spoken: Readonly<Record<QuotaKind, (limit: number) => string>> = {
  KNOWLEDGE_BASES: (limit) => `The project may have ${limit} knowledge bases.`,
  DOCUMENTS: (limit) => `A knowledge base of this project may have ${limit} documents.`,
  BYTES: (limit) => `The documents of this project may have ${limit} bytes together.`,
};

/** Why there is no room: the plans give nothing at all, or all that they give is taken. */
export const quotaRefusal = (quota: Quota): QuotaRefusal =>
  quota.limit === 0
    ? { code: 'NOT_ENTITLED', message: 'No plan of this project includes knowledge bases.', quota }
    : {
        code: 'QUOTA_EXCEEDED',
        message: `${spoken[quota.what](quota.limit)} ${quota.used} are taken.`,
        quota,
      };

export const knowledgeBaseRefusalCodes = {
  PROJECT_NOT_FOUND: 'No such project, or the caller does not belong there.',
  KNOWLEDGE_BASE_NOT_FOUND: 'No such knowledge base, or the caller does not belong there.',
  NOT_ENTITLED: 'No plan of the project includes knowledge bases.',
  QUOTA_EXCEEDED: 'The project has as many knowledge bases as its plans give.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before for something else.',
  INVALID_INPUT: 'A value of the input is not usable.',
};
export type KnowledgeBaseRefusal =
  | (Refusal & { readonly code: Exclude<keyof typeof knowledgeBaseRefusalCodes, QuotaRefusal['code']> })
  | QuotaRefusal;

export const noKnowledgeBase = {
  code: 'KNOWLEDGE_BASE_NOT_FOUND',
  message: 'There is no such knowledge base.',
  field: 'knowledgeBaseId',
} as const;
