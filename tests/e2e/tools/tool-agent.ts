import type { Person, Store } from '../support/store.ts';
import { demoConnectorSecrets } from '../../../infra/dev/state/demo-connector-secrets.ts';
import * as operations from '../../../infra/dev/main-job/tool-operations.ts';

/** Who binds and runs, as far as it matters here. */
export type Caller = Pick<Person, 'email' | 'query' | 'subscribe' | 'waitFor' | 'run'>;

/** An ACTIVE agent that calls the demo's two tools, with the secrets of its project bound. */
export interface ToolAgent {
  readonly organizationId: string;
  readonly projectId: string;
  readonly instanceId: string;
  readonly bindings: { readonly orders: string; readonly status: string };
}

/** What a run told of one tool call. */
export interface ToldCall {
  readonly id: string;
  readonly toolName: string;
  arguments: string;
  content: string | undefined;
  isError: boolean | undefined;
}

/** Binds the demo's secrets in a new person's project and gets the agent; waits until its policy with both tools is applied. */
export async function toolAgent(store: Pick<Store, 'stateDir'>, person: Caller): Promise<ToolAgent> {
  const { workspaceAuto } = await person.query(
    'mutation { workspaceAuto(input: {}) { organization { id } project { id } errors { code } } }',
  );
  const organizationId = String(workspaceAuto.organization.id);
  const projectId = String(workspaceAuto.project.id);
  const secrets = demoConnectorSecrets(store.stateDir);
  const bindings = {
    orders: await bind(person, { organizationId, projectId, slug: 'orders', secret: secrets.orders }),
    status: await bind(person, { organizationId, projectId, slug: 'status', secret: secrets.status }),
  };
  const instanceId = await activated(person, projectId, 'order-desk');
  return { organizationId, projectId, instanceId, bindings };
}

/** A trial of an offering, when its policy is applied. */
export async function activated(person: Caller, projectId: string, offeringSlug: string): Promise<string> {
  const { instanceAutoActivate } = await person.query(operations.instanceAutoActivate, {
    input: { projectId, offeringSlug, idempotencyKey: crypto.randomUUID() },
  });
  const instanceId = String(instanceAutoActivate.instance.id);
  await settled(person, instanceId);
  return instanceId;
}

export async function bind(
  person: Caller,
  o: { organizationId: string; projectId: string; slug: string; secret: string },
): Promise<string> {
  const { connectors } = await person.query(operations.connectors, o);
  const connector = connectors.find(({ slug }) => slug === o.slug)!;
  const { connectorBind } = await person.query(operations.connectorBind, {
    input: {
      projectId: o.projectId,
      connectorId: connector.id,
      name: `of ${person.email}`,
      secret: connector.secretFields.map((name) => ({ name, value: o.secret })),
      idempotencyKey: crypto.randomUUID(),
    },
  });
  if (connectorBind.errors[0]) throw new Error(String(connectorBind.errors[0].message));
  return String(connectorBind.connectorBinding.id);
}

/** Until the instance is what it should be. */
export const settled = (person: Caller, instanceId: string): Promise<true> =>
  person.waitFor(
    'query ($id: ID!) { instance(id: $id) { state desiredGeneration observedGeneration } }',
    { id: instanceId },
    ({ instance }) =>
      instance.state === 'ACTIVE' && instance.observedGeneration === instance.desiredGeneration
        ? true
        : undefined,
  );

/** Starts a run and follows it to its end. */
export async function runWithTools(
  person: Caller,
  instanceId: string,
  input: string,
): Promise<{ runId: string; calls: ToldCall[]; text: string; end: string; kinds: string[] }> {
  const { run } = await person.run(instanceId, input);
  const told = await followTools(person, String(run!.id));
  return { runId: String(run!.id), ...told };
}

export async function followTools(
  person: Caller,
  runId: string,
): Promise<{ calls: ToldCall[]; text: string; end: string; kinds: string[] }> {
  const calls = new Map<string, ToldCall>();
  const kinds: string[] = [];
  let text = '';
  for await (const { runEvents: event } of person.subscribe(operations.runEvents, { runId })) {
    kinds.push(event.__typename);
    const id = event.toolCallId ?? '';
    const call = calls.get(id);
    if (event.__typename === 'ToolCallStart')
      calls.set(id, {
        id,
        toolName: event.toolName!,
        arguments: '',
        content: undefined,
        isError: undefined,
      });
    else if (call && event.__typename === 'ToolCallArgs') call.arguments += event.delta;
    else if (call && event.__typename === 'ToolCallResult') {
      call.content = event.content;
      call.isError = event.isError;
    } else if (event.__typename === 'TextMessageContent') text += event.delta;
  }
  return { calls: [...calls.values()], text, end: kinds.at(-1) ?? '', kinds };
}
