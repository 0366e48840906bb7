import { parse, stringify } from 'yaml';
import { canonicalJson, hashOf } from '@agentstore/kernel/canonical-json';
import { toGlobalId } from '@agentstore/kernel/ids';
import {
  folderOf,
  idOf,
  isKnowledge,
  subjectOf,
  type ConnectorRule,
  type Desired,
  type DesiredKnowledgeBase,
  type DesiredState,
} from './desired-state.ts';
import { subjects, type Kind } from './subjects.ts';

/** API group and version of our custom resources (infra/k8s/crds). */
export const apiVersion = 'agentstore.dev/v1alpha1';

/** File name of a kind in its subject's folder. */
export const fileOf = (kind: Kind): string => `${kind.toLowerCase()}.yaml`;

/** A custom resource as it stands in Git. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly generation: number;
    readonly organizationId: string;
  };
}

/** The resources of one subject. No time stamps and a fixed order of members: the same state gives the same bytes, so replays give no commit. */
export const manifestsOf = (state: Desired): Manifest[] =>
  isKnowledge(state) ? knowledgeManifests(state) : instanceManifests(state);

const manifestOf = (state: Desired, kind: Kind, spec: Record<string, unknown>): Manifest => {
  const { idMember } = subjects[subjectOf(state)];
  const id = idOf(state);
  return {
    apiVersion,
    kind,
    metadata: {
      name: id,
      labels: {
        [isKnowledge(state) ? 'agentstore.dev/knowledge-base' : 'agentstore.dev/instance']: id,
        'agentstore.dev/organization': state.organizationSlug,
        'agentstore.dev/project': state.projectSlug,
      },
    },
    spec: {
      [idMember]: id,
      organizationId: state.organizationId,
      generation: state.generation,
      desiredPhase: state.phase,
      ...spec,
    },
  };
};

const instanceManifests = (state: DesiredState): Manifest[] => [
  manifestOf(state, 'GatewayRoute', {
    path: `/v1/instances/${toGlobalId('Instance', state.instanceId)}/runs`,
    paused: state.phase !== 'Active',
    runtime: {
      version: state.version.version,
      configSha256: hashOf(state.config),
      artifact: {
        bucket: state.artifact.bucket,
        key: state.artifact.key,
        sha256: state.artifact.sha256,
        sizeBytes: state.artifact.sizeBytes,
      },
    },
  }),
  manifestOf(state, 'GatewayPolicy', {
    plan: state.plan.code,
    limits: {
      maxRunSeconds: state.limits.maxRunSeconds,
      maxConcurrentRuns: state.limits.maxConcurrentRuns,
    },
    capabilities: [...new Set(state.entitlements.map(({ capability }) => capability))].sort(),
  }),
  manifestOf(state, 'ConnectorPolicy', {
    projectId: state.projectId,
    defaultAction: 'Deny',
    rules: state.connectorRules.map(ruleOf).sort((a, b) => (a.tool < b.tool ? -1 : 1)),
  }),
];

const knowledgeManifests = (state: DesiredKnowledgeBase): Manifest[] => {
  const { projectId, name, language, limits, engine } = state;
  const base = manifestOf(state, 'KnowledgeBase', {
    projectId,
    name,
    ...(language === null ? {} : { language }),
    engine: engine.kind,
    limits: { documents: limits.documents, bytes: limits.bytes },
  });
  if (engine.kind === 'Embedded') return [base];
  const { datasetName, chunkMethod, parser } = engine;
  const { autoKeywords, autoQuestions, raptor, graphrag } = parser;
  return [
    base,
    manifestOf(state, 'RagflowKB', {
      projectId,
      datasetName,
      chunkMethod,
      parser: { autoKeywords, autoQuestions, raptor, graphrag },
    }),
  ];
};

/** A rule with its members in one order, those of its schema too. */
const ruleOf = (rule: ConnectorRule): ConnectorRule =>
  rule.action === 'Deny'
    ? { tool: rule.tool, action: rule.action }
    : {
        tool: rule.tool,
        action: rule.action,
        name: rule.name,
        definition: rule.definition,
        ...(rule.bindingId ? { bindingId: rule.bindingId } : {}),
        ...(rule.arguments ? { arguments: JSON.parse(canonicalJson(rule.arguments)) as object } : {}),
      };

/** Byte-stable YAML: two spaces, LF, one document, no anchors, no wrapping. */
export const yamlOf = (manifest: Manifest): string =>
  stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false, indent: 2 });

/** Paths and texts of a subject's files. */
export const filesOf = (environment: string, state: Desired): Readonly<Record<string, string>> =>
  Object.fromEntries(
    manifestsOf(state).map((manifest) => [
      `${folderOf(environment, state)}/${fileOf(manifest.kind)}`,
      yamlOf(manifest),
    ]),
  );

/** The generation that a manifest's text speaks of; 0 when it is none of ours. */
export function generationIn(text: string): number {
  try {
    const generation = (parse(text) as Partial<Manifest> | null)?.spec?.generation;
    return typeof generation === 'number' ? generation : 0;
  } catch {
    return 0;
  }
}
