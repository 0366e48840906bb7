import { createHash, createHmac } from 'node:crypto';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import type { ArtifactRef } from '../artifacts/load-artifact.ts';
import type { Flow } from '../langflow/runtime-client.ts';
import { clean, isObject, textIn, type JsonObject } from '../langflow/json.ts';

/** A run as the runs subgraph hands it to its owner. */
export interface ClaimedRun {
  readonly runId: string;
  readonly organizationId: string;
  readonly instanceId: string;
  readonly conversationId: string;
  /** Grows with each owner; every write carries it. */
  readonly fence: number;
  readonly input: string;
  readonly history: readonly { readonly role: string; readonly content: string }[];
  readonly artifact: ArtifactRef;
  readonly effectiveConfig: JsonObject;
  /** With which the flow calls tools; null for a run that can call none. Never logged. */
  readonly runToken: string | null;
  readonly remainingMs: number;
  readonly lastSeq: number;
  readonly cancelRequested: boolean;
  /** Somebody had it before and stopped. */
  readonly takenOver: boolean;
  /** What the former owner said was used. */
  readonly checkpoint: readonly BilledUsage[] | null;
  /** What is to be settled, when a former owner decided how the run ends; then it is to be finished. */
  readonly billed: readonly BilledUsage[] | null;
}

/** Usage as billing counts it. */
export interface BilledUsage {
  readonly dimension: string;
  readonly quantity: string;
}

/** Namespace of the flow ids that we give to runtimes (RFC 9562 §5.5). */
const flowNamespace = Buffer.from('6f1f0a6d5c1b4d5c9a532c7a51f3b0e4', 'hex');

/** The flow's id at the runtime: the same artifact with the same configuration is one flow, uploaded once. */
export function flowIdOf(sha256: string, config: JsonObject): string {
  const configSha = createHash('sha256').update(canonicalJson(config)).digest('hex');
  const hash = createHash('sha1')
    .update(flowNamespace)
    .update(`${sha256}:${configSha}`)
    .digest()
    .subarray(0, 16);
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The runtime's memory key of a conversation: nobody can guess it, and no two buyers share it. */
export const sessionIdOf = (secret: string, run: ClaimedRun): string =>
  createHmac('sha256', secret)
    .update([run.organizationId, run.instanceId, run.conversationId].join('\n'))
    .digest('base64url');

/** Bytes a runtime takes for one variable. */
const maxGlobal = 65_536;

/**
 * The variables a flow may name: upper-case members of the configuration, the conversation so far as JSON (`CONVERSATION_HISTORY`, the oldest
 * messages dropped when it is too long), the runner's own, which win over them, and the run's token for its tools (`RUNTOKEN`), which nothing replaces.
 */
export function globalsOf(run: ClaimedRun, own: Readonly<Record<string, string>>): Record<string, string> {
  const configured = Object.entries(run.effectiveConfig).flatMap(([name, value]) =>
    /^[A-Z][A-Z0-9_]{0,100}$/.test(name) && ['string', 'number', 'boolean'].includes(typeof value)
      ? [[name, String(value as string | number | boolean)] as const]
      : [],
  );
  let history = run.history;
  while (Buffer.byteLength(JSON.stringify(history)) > maxGlobal) history = history.slice(2);
  return {
    ...Object.fromEntries(configured),
    CONVERSATION_HISTORY: JSON.stringify(history),
    ...own,
    RUNTOKEN: run.runToken ?? '',
  };
}

/** A verified artifact as a flow, with its components' display names; undefined when it is no flow JSON. */
export function parseFlow(
  bytes: Buffer,
): { flow: Flow; stepName: (componentId: string) => string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const data = isObject(value) ? value['data'] : undefined;
  if (!isObject(data) || !Array.isArray(data['nodes'])) return undefined;
  const names = new Map<string, string>();
  for (const node of data['nodes'] as unknown[]) {
    const inner = isObject(node) && isObject(node['data']) ? node['data'] : {};
    const id = textIn(node, 'id') ?? textIn(inner, 'id');
    const name = textIn(inner['node'], 'display_name') ?? textIn(inner, 'type');
    if (id !== undefined && name !== undefined) names.set(id, clean(name.slice(0, 100)));
  }
  return {
    flow: { name: (textIn(value, 'name') ?? 'flow').slice(0, 100), data },
    stepName: (id) => names.get(id) ?? clean(id.replace(/-[A-Za-z0-9]+$/, '')),
  };
}
