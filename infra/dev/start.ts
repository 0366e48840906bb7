import path from 'node:path';
import { createLog } from '@agentstore/kernel/log';
import { devArguments } from './arguments.ts';
import { logFile } from './log-file.ts';
import {
  demoFault,
  knowledgeJobStore,
  makeDemoKey,
  mainJobStore,
  toolJobStore,
  widgetJobStore,
} from './main-job/demo-store.ts';
import { knowledgeJob } from './main-job/knowledge-job.ts';
import { mainJob } from './main-job/main-job.ts';
import { toolJob } from './main-job/tool-job.ts';
import { widgetJob } from './main-job/widget-job.ts';
import { orderlyEnd } from './orderly-end.ts';
import { endFormerPostgres } from './postgres/postgres.ts';
import { createProgress, seconds } from './progress.ts';
import { describeStack } from './stack/describe-stack.ts';
import { startStack, type Stack } from './stack/stack.ts';
import { readDescription, writeDescription, type DevDescription } from './state/description.ts';
import { AlreadyRunning, lockState } from './state/lock.ts';
import { choosePorts } from './state/ports.ts';

const began = performance.now();
const options = devArguments(process.argv.slice(2));
const { stateDir } = options;
let unlock: () => void;
try {
  unlock = lockState(stateDir);
} catch (error) {
  if (!(error instanceof AlreadyRunning)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const logPath = path.join(stateDir, 'agentstore.log');
const log = createLog({
  name: 'dev',
  level: 'info',
  ...(options.verbose ? {} : { destination: logFile(logPath) }),
});

/** Kept from its first moment: an end that comes while it starts waits for it, and stops what it has brought up. */
let starting: Promise<Stack> | undefined;
const ending = orderlyEnd({
  async stop() {
    progress.line('\nStopping …');
    const stack = await starting?.catch(() => undefined); // one that failed has undone itself
    await stack?.stop();
    unlock();
    progress.line('Stopped.');
  },
  exit: (code) => process.exit(code),
  deadlineMs: 60_000,
});
const progress = createProgress({ interrupted: ending.signal });
// A terminal that was closed, or a pipe whose reader has gone, must not keep the store from stopping in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
process.on('SIGINT', ending.interrupt).on('SIGTERM', ending.interrupt).on('SIGHUP', ending.interrupt);

try {
  progress.heading('Agent Store, on embedded parts');
  // A killed store's PostgreSQL may still hold the port that is to be found free.
  await endFormerPostgres(path.join(stateDir, 'postgres'));
  const ports = await choosePorts(stateDir, {
    ...(options.port === undefined ? {} : { router: options.port }),
    moved: (part, port, reason) => progress.line(`  ${reason}: ${part} is on ${port}`),
  });
  starting = startStack({
    stateDir,
    ports,
    runtime: options.runtime,
    graphiql: true,
    widget: true,
    signal: ending.signal,
    log,
    progress,
  });
  const stack = await starting;
  let description = await describeStack(stack, {
    stateDir,
    demo: readDescription(stateDir)?.demo ?? null,
  });
  writeDescription(stateDir, description);
  const { demo } = description;
  const fault = demo ? await demoFault(description, demo) : 'it is not there yet';
  if (fault !== undefined && options.demo) {
    if (demo) progress.line(`\n  The demo organization is made good, because ${fault}.`);
    description = await performMainJob(description);
  } else if (fault !== undefined && demo)
    progress.line(
      `\n  The demo organization of dev.json cannot run: ${fault}. Without --no-demo a start buys again.`,
    );
  ending.signal.throwIfAborted();
  tell(description);
} catch (error) {
  // What fails because the store is being stopped is no failure of the start.
  if (!ending.signal.aborted) {
    log.error({ err: error }, 'the store did not start');
    process.stderr.write(
      `\nThe store did not start: ${(error as Error).message}\n${options.verbose ? '' : `More in ${logPath}\n`}`,
    );
  }
  await ending.end(1);
}

async function performMainJob(description: DevDescription): Promise<DevDescription> {
  progress.heading('The main job: buy a plan, get an instance, run it, see what it cost');
  const result = await mainJob(
    mainJobStore(description, stateDir),
    progress,
    'Where is my parcel, and when will it arrive?',
  );
  progress.heading('Tools: bind two secrets, run an agent that uses them, see why it was allowed');
  const toolInstanceId = await toolJob(
    toolJobStore(description, stateDir, result),
    progress,
    'Where is my order A-1042?',
  );
  progress.heading('Knowledge: upload two documents, run an agent that answers from them, see what it cites');
  const knowledgeInstanceId = await knowledgeJob(
    knowledgeJobStore(description, result),
    progress,
    'How much citric acid does descaling take, and is vinegar good for the seals?',
  );
  progress.heading('Widget: let a site carry the agent, and ask it as a visitor of that site');
  const widgetKey = await widgetJob(
    widgetJobStore(description, result, knowledgeInstanceId),
    progress,
    'How long may I send goods back?',
  );
  const apiKey = await makeDemoKey(description, result);
  const { organizationId, projectId, instanceId } = result;
  const described = {
    ...description,
    demo: { organizationId, projectId, instanceId, toolInstanceId, knowledgeInstanceId, widgetKey, apiKey },
  };
  writeDescription(stateDir, described);
  progress.line(`\n  order paid → ACTIVE in ${seconds(result.paidToActiveMs)}, commit ${result.commit}`);
  return described;
}

function tell({ urls, users, runtime, directories }: DevDescription): void {
  progress.heading(`Up in ${seconds(performance.now() - began)}`);
  progress.line(`  GraphQL        ${urls.graphql}   (HTTP, SSE and graphql-ws)`);
  progress.line(`  GraphiQL       ${urls.graphiql}`);
  progress.line(`  widget         ${urls.widgetDemo}   (on a customer's site, ${urls.site})`);
  progress.line(`  REST           ${urls.openApi}`);
  progress.line(`  shop           ${urls.shop}`);
  progress.line(
    `  sign in        ${urls.identity}   ${users.map(({ email, password }) => `${email} / ${password}`).join(' · ')}`,
  );
  progress.line(`  tool gateway   ${urls.tools}/mcp   (MCP; REST at /v1/tools/{toolId}:invoke)`);
  progress.line(`  runtime        ${runtime}`);
  progress.line(`  desired state  ${directories.git}`);
  progress.line(
    `  all of this    ${path.join(stateDir, 'dev.json')}, with an API key of the demo organization`,
  );
  progress.line('\n  npm run demo performs the main job again. Ctrl-C stops everything.\n');
}
