import type { Progress } from '../progress.ts';
import { accept, type Errors } from './accept.ts';
import { graphClient, type GraphClient } from './graph-client.ts';
import { runEvents, runStart } from './tool-operations.ts';
import { instanceBrand } from './widget-operations.ts';

/** What the widget job needs to know: an instance, what its owner knows, and the site that is to carry the widget. */
export interface WidgetJobStore {
  readonly origin: string;
  readonly graphqlUrl: string;
  readonly accessToken: string;
  readonly instanceId: string;
  /** Origin of the customer's site. */
  readonly site: string;
}

interface Branded {
  readonly instance: {
    readonly endpoint: { readonly widgetKey: string } | null;
    readonly branding: { readonly allowedDomains: readonly string[] };
  } | null;
  readonly errors: Errors;
}
interface Session {
  readonly token: string;
  readonly expiresIn: number;
  readonly instanceId: string;
}
interface Event {
  readonly __typename: string;
  readonly delta?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const runWithinMs = 150_000;
const initWithinMs = 10_000;

/** The widget's look on the demo's site. */
const look = {
  brandName: 'Kettle & Co. help',
  primaryColor: '#b5651d',
  accentColor: '#2f6f4f',
  launcherText: 'Ask us',
  greeting: 'Good day! Ask me about your machine, or about returns.',
  suggestedPrompts: ['How much citric acid does descaling take?', 'How long may I send goods back?'],
};

/**
 * Gives the agent a look and lets one site carry it, then talks to it as a visitor of that site does: session init with that site's origin (another
 * one is refused), and a run over graphql-ws. Answers the widget's key; throws with the code of the first refusal.
 */
export async function widgetJob(store: WidgetJobStore, progress: Progress, prompt: string): Promise<string> {
  const graph = graphClient({ url: store.graphqlUrl, token: store.accessToken });
  try {
    const widgetKey = await progress.step('branding', async (say) => {
      const { instanceBrand: made } = await graph.query<{ instanceBrand: Branded }>(instanceBrand, {
        input: { instanceId: store.instanceId, ...look, allowedDomains: [store.site] },
      });
      accept(made.errors);
      say(`“${look.brandName}”, allowed on ${made.instance!.branding.allowedDomains.join(', ')}`);
      return made.instance!.endpoint!.widgetKey;
    });
    const session = await progress.step('widget session', async (say) => {
      const refused = await askForSession(store, { widgetKey, origin: 'https://elsewhere.example' });
      if (refused.status !== 403) throw new Error(`another site was answered ${refused.status}`);
      const answer = await askForSession(store, { widgetKey, origin: store.site });
      if (!answer.ok) throw new Error(`session init was answered ${answer.status}: ${await answer.text()}`);
      const opened = (await answer.json()) as Session;
      say(`for ${opened.expiresIn} s and ${store.site} alone; another site is refused`);
      return opened;
    });
    await progress.step('a visitor asks', async (say) => {
      const visitor = graphClient({ url: store.graphqlUrl, token: session.token, origin: store.site });
      try {
        const answered = await ask(visitor, session.instanceId, prompt);
        progress.line(`    “${prompt}”`);
        progress.line(`    ${answered.replaceAll(/\s+/g, ' ').slice(0, 160)}`);
        say('streamed over graphql-ws');
      } finally {
        await visitor.close();
      }
    });
    return widgetKey;
  } finally {
    await graph.close();
  }
}

const askForSession = (
  { origin: store }: WidgetJobStore,
  { widgetKey, origin }: { readonly widgetKey: string; readonly origin: string },
): Promise<Response> =>
  fetch(`${store}/v1/widget/session:init`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ widgetKey }),
    signal: AbortSignal.timeout(initWithinMs),
  });

async function ask(visitor: GraphClient, instanceId: string, input: string): Promise<string> {
  const { runStart: started } = await visitor.query<{
    runStart: { run: { id: string } | null; errors: Errors };
  }>(runStart, { input: { instanceId, input, idempotencyKey: crypto.randomUUID() } });
  accept(started.errors);
  let text = '';
  for await (const { runEvents: event } of visitor.subscribe<{ runEvents: Event }>(
    runEvents,
    { runId: started.run!.id },
    { deadlineMs: runWithinMs },
  )) {
    if (event.__typename === 'TextMessageContent') text += event.delta ?? '';
    if (event.error) throw new Error(`${event.error.code}: ${event.error.message}`);
    if (event.__typename === 'RunFinished') return text;
  }
  throw new Error('the answer did not end');
}
