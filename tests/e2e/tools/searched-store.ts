import path from 'node:path';
import { createLog } from '@agentstore/kernel/log';
import { startTelemetry } from '@agentstore/kernel/telemetry';
import { logFile } from '../../../infra/dev/log-file.ts';
import { createProgress } from '../../../infra/dev/progress.ts';
import { orderDeskArtifact } from '../../../infra/dev/runtime/demo-flow.ts';
import { describeStack } from '../../../infra/dev/stack/describe-stack.ts';
import { registerToolOffering } from '../../../infra/dev/stack/tool-offering.ts';
import { demoConnectors } from '../../../infra/dev/upstreams/connectors.ts';
import { startStack, type StackOptions } from '../../../infra/dev/stack/stack.ts';
import type { DevDescription } from '../../../infra/dev/state/description.ts';
import { echoConnector } from './echo-upstream.ts';

/** Of `searched-store.ts`, as the JSON of its one argument. */
export interface SearchedStoreOptions extends Pick<
  Required<StackOptions>,
  'stateDir' | 'ports' | 'postgres' | 'privateOrigins'
> {
  readonly collectorUrl: string;
}

/** What it tells its parent: at first that it is up, then that an order was carried out. */
export type Told = DevDescription | 'done';
export type Order = 'export telemetry' | 'stop';

/**
 * The whole store in a process of its own, so that what is inside of it can be searched from another one: its log as `npm start` keeps it, its spans and
 * metrics sent to a collector, and an offering whose agent calls an organization's own connector.
 */
const options = JSON.parse(process.argv[2]!) as SearchedStoreOptions;
const { stateDir } = options;
const telemetry = await startTelemetry({ service: 'store', otlpUrl: options.collectorUrl });
const stack = await startStack({
  ...options,
  runtime: 'dev',
  delayPerTokenMs: 1,
  log: createLog({
    name: 'dev',
    level: 'trace',
    destination: logFile(path.join(stateDir, 'agentstore.log')),
  }),
  progress: createProgress({ write: () => undefined }),
});
const { slug, tool, calledInstead } = echoConnector;
const site = {
  doubles: stack.doubles,
  secrets: stack.secrets,
  toolsOrigin: stack.toolsOrigin,
  controlPlane: stack.mounted.clientOf('control-plane', 'seed'),
};
const { url } = stack.doubles.upstreams;
await registerToolOffering(site, {
  slug: 'echo-desk',
  name: 'Echo desk',
  artifact: Buffer.from(
    orderDeskArtifact({ modelBaseUrl: stack.doubles.model.url, gatewayUrl: `${stack.toolsOrigin}/mcp` })
      .toString()
      .replaceAll(calledInstead, `${slug}__${tool}`),
  ),
  connectors: demoConnectors({ ordersOrigin: url, statusOrigin: url }).filter((one) => one.slug === 'status'),
  imported: [{ connector: slug, tools: [tool] }],
  capability: { name: 'tools', title: 'Tools', description: 'Says what it was told.', limits: {} },
});
const tell = (told: Told): void => void process.send!(told);
process.on('message', (order: Order) => {
  const carriedOut = order === 'stop' ? stack.stop() : telemetry.stop();
  void carriedOut.then(() => {
    tell('done');
    if (order === 'stop') process.disconnect();
  });
});
tell(await describeStack(stack, { stateDir, demo: null }));
