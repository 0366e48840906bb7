import { devArguments } from './arguments.ts';
import { knowledgeJobStore, mainJobStore, toolJobStore, widgetJobStore } from './main-job/demo-store.ts';
import { knowledgeJob } from './main-job/knowledge-job.ts';
import { mainJob } from './main-job/main-job.ts';
import { toolJob } from './main-job/tool-job.ts';
import { widgetJob } from './main-job/widget-job.ts';
import { createProgress, seconds } from './progress.ts';
import { readDescription } from './state/description.ts';

/** `npm run demo`: the main job again, with fresh orders, on the running store. */
const { stateDir } = devArguments(process.argv.slice(2));
const description = readDescription(stateDir);
const answers =
  description &&
  (await fetch(`${description.urls.origin}/health`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  ));
if (!description || !answers) {
  process.stderr.write('No store is running here. Start it with npm start, in another terminal.\n');
  process.exit(1);
}
const progress = createProgress();
progress.heading('The main job: buy a plan, get an instance, run it, see what it cost');
try {
  const result = await mainJob(mainJobStore(description, stateDir), progress, 'Can I still change my order?');
  progress.line(`\n  order paid → ACTIVE in ${seconds(result.paidToActiveMs)}, commit ${result.commit}`);
  progress.heading('Tools: bind two secrets, run an agent that uses them, see why it was allowed');
  await toolJob(toolJobStore(description, stateDir, result), progress, 'Has order B-2007 arrived?');
  progress.heading('Knowledge: upload two documents, run an agent that answers from them, see what it cites');
  const agent = await knowledgeJob(
    knowledgeJobStore(description, result),
    progress,
    'Which part number is the worn seal of the boiler?',
  );
  progress.heading('Widget: let a site carry the agent, and ask it as a visitor of that site');
  await widgetJob(widgetJobStore(description, result, agent), progress, 'May I send a present back?');
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  process.exitCode = 1;
}
