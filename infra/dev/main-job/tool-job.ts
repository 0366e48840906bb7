import { accept, type Errors } from './accept.ts';
import { activeAgent } from './active-agent.ts';
import { graphClient, type GraphClient } from './graph-client.ts';
import * as operations from './tool-operations.ts';
import type { Progress } from '../progress.ts';
import { seconds } from '../progress.ts';

/** What the tool job needs to know: what any member of the organization knows, and the secrets of its own accounts elsewhere. */
export interface ToolJobStore {
  readonly graphqlUrl: string;
  readonly accessToken: string;
  readonly organizationId: string;
  readonly projectId: string;
  readonly offeringSlug: string;
  /** By the connector's slug: what goes into each field of its secret. */
  readonly secrets: Readonly<Record<string, string>>;
}

const runWithinMs = 150_000;

/**
 * Binds the secrets of two connectors, gets an agent that needs them, and runs it: its flow calls both tools through the gateway, which alone reads the secrets. Again it
 * uses what is bound and active already. Answers the instance's id; throws with the code of the first refusal.
 */
export async function toolJob(store: ToolJobStore, progress: Progress, prompt: string): Promise<string> {
  const graph = graphClient({ url: store.graphqlUrl, token: store.accessToken });
  try {
    await progress.step('secrets bound', (say) => bindSecrets(graph, store, { say, progress }));
    const instanceId = await progress.step('agent with tools', async (say) => {
      const { id, generation } = await activeAgent(graph, store);
      say(`ACTIVE; its ConnectorPolicy of generation ${generation} is applied`);
      return id;
    });
    const calls = await progress.step('run with tools', (say) =>
      runAgent(graph, { instanceId, prompt, say, progress }),
    );
    await progress.step('audited', (say) => audited(graph, calls, { say, progress }));
    return instanceId;
  } finally {
    await graph.close();
  }
}

type Say = (text: string) => void;
interface Told {
  readonly say: Say;
  readonly progress: Progress;
}

interface Connector {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly kind: string;
  readonly secretFields: readonly string[];
}
interface Binding {
  readonly id: string;
  readonly state: string;
  readonly secretVersion: number | null;
  readonly connector: { readonly slug: string };
}

async function bindSecrets(graph: GraphClient, store: ToolJobStore, { say, progress }: Told): Promise<void> {
  const { connectors, project } = await graph.query<{
    connectors: readonly Connector[];
    project: { readonly connectorBindings: readonly Binding[] };
  }>(operations.connectors, { organizationId: store.organizationId, projectId: store.projectId });
  let bound = 0;
  for (const [slug, secret] of Object.entries(store.secrets)) {
    const connector = connectors.find((one) => one.slug === slug);
    if (!connector) throw new Error(`the store has no connector ${slug}`);
    let binding = project.connectorBindings.find(
      (one) => one.connector.slug === slug && one.state === 'ACTIVE',
    );
    if (!binding) {
      const { connectorBind: made } = await graph.query<{
        connectorBind: { connectorBinding: Binding | null; errors: Errors };
      }>(operations.connectorBind, {
        input: {
          projectId: store.projectId,
          connectorId: connector.id,
          name: `Demo account of ${connector.name}`,
          secret: connector.secretFields.map((name) => ({ name, value: secret })),
          idempotencyKey: crypto.randomUUID(),
        },
      });
      accept(made.errors);
      binding = made.connectorBinding!;
      bound += 1;
    }
    progress.line(
      `    ${slug.padEnd(10)} ${connector.kind}, secret version ${binding.secretVersion} in the secret store; the graph shows no more than that`,
    );
  }
  say(bound ? `${bound} bound` : 'they are bound already');
}

interface Event {
  readonly __typename: string;
  readonly delta?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly content?: string;
  readonly isError?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Ids of the tool calls, in their order. */
async function runAgent(
  graph: GraphClient,
  { instanceId, prompt, say, progress }: Told & { readonly instanceId: string; readonly prompt: string },
): Promise<string[]> {
  const { runStart: started } = await graph.query<{
    runStart: { run: { id: string } | null; errors: Errors };
  }>(operations.runStart, {
    input: { instanceId, input: prompt, idempotencyKey: crypto.randomUUID() },
  });
  accept(started.errors);
  const calls: string[] = [];
  let text = '';
  for await (const { runEvents: event } of graph.subscribe<{ runEvents: Event }>(
    operations.runEvents,
    { runId: started.run!.id },
    { deadlineMs: runWithinMs },
  ))
    switch (event.__typename) {
      case 'ToolCallStart':
        calls.push(event.toolCallId!);
        progress.line(`    call       ${event.toolName}`);
        break;
      case 'ToolCallArgs':
        progress.line(`    arguments  ${event.delta}`);
        break;
      case 'ToolCallResult':
        progress.line(`    result     ${shortened(event.content!)}${event.isError ? ' (an error)' : ''}`);
        if (event.isError) throw new Error(`a tool call failed: ${event.content}`);
        break;
      case 'TextMessageContent':
        text += event.delta;
        break;
      case 'RunFailed':
        throw new Error(`the run failed: ${event.error?.code} ${event.error?.message}`);
    }
  progress.line(`    “${text.trim()}”`);
  say(`${calls.length} tool calls, streamed with their results`);
  if (!calls.length) throw new Error('the run called no tool');
  return calls;
}

interface AuditEntry {
  readonly toolId: string;
  readonly decision: string;
  readonly code: string;
  readonly outcome: string | null;
  readonly policyVersion: string | null;
  readonly policyCommit: string | null;
  readonly secretVersion: number | null;
  readonly destination: string | null;
  readonly upstreamStatus: number | null;
  readonly latencyMs: number | null;
}

async function audited(graph: GraphClient, calls: readonly string[], { say, progress }: Told): Promise<void> {
  for (const id of calls) {
    const { auditEntry: entry } = await graph.query<{ auditEntry: AuditEntry | null }>(
      operations.auditEntry,
      { id },
    );
    if (!entry) throw new Error(`the tool call ${id} has no audit entry`);
    progress.line(
      `    ${entry.toolId}: ${entry.decision} by policy generation ${entry.policyVersion?.split('@')[1]} of commit ${entry.policyCommit?.slice(0, 12)}, secret version ${entry.secretVersion}, ${entry.destination} answered ${entry.upstreamStatus} (${entry.outcome}, ${seconds(entry.latencyMs ?? 0)})`,
    );
  }
  say('each call has its entry; npm run audit:verify checks their chain');
}

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
