import fs from 'node:fs';
import path from 'node:path';
import { createLog } from '@agentstore/kernel/log';
import { devArguments } from './arguments.ts';
import { mainJob } from './main-job/main-job.ts';
import { makeDemoKey, mainJobStore } from './main-job/demo-store.ts';
import { createProgress, seconds } from './progress.ts';
import { shopAdmin } from './shop/server.ts';
import { offeringSlug } from './stack/catalogue.ts';
import { startStack, type Stack } from './stack/stack.ts';
import { readDescription, writeDescription, type DevDescription } from './state/description.ts';
import { AlreadyRunning, lockState } from './state/lock.ts';
import { choosePorts } from './state/ports.ts';

const began = performance.now();
const options = devArguments(process.argv.slice(2));
const progress = createProgress();
let unlock: () => void;
try {
  unlock = lockState(options.stateDir);
} catch (error) {
  if (!(error instanceof AlreadyRunning)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
fs.mkdirSync(options.stateDir, { recursive: true });
const logFile = path.join(options.stateDir, 'agentstore.log');
const log = createLog({
  name: 'dev',
  level: 'info',
  ...(options.verbose ? {} : { destination: fs.createWriteStream(logFile, { flags: 'a' }) }),
});

let stack: Stack | undefined;
let stopping = false;
async function stop(code: number): Promise<never> {
  if (stopping) process.exit(1);
  stopping = true;
  progress.line('\nStopping …');
  await stack?.stop();
  unlock();
  progress.line('Stopped.');
  process.exit(code);
}
process.on('SIGINT', () => void stop(0)).on('SIGTERM', () => void stop(0));

try {
  progress.heading('Agent Store, on embedded parts');
  const ports = await choosePorts(options.stateDir, {
    ...(options.port === undefined ? {} : { router: options.port }),
    moved: (part, from, to) => progress.line(`  port ${from} is taken: ${part} is on ${to}`),
  });
  stack = await startStack({
    stateDir: options.stateDir,
    ports,
    runtime: options.runtime,
    graphiql: true,
    log,
    progress,
  });
  const before = readDescription(options.stateDir)?.demo ?? null;
  let description = describe(stack, before);
  writeDescription(options.stateDir, description);
  if (options.demo && !before) {
    progress.heading('The main job: buy a plan, get an instance, run it, see what it cost');
    const result = await mainJob(
      mainJobStore(description),
      progress,
      'Where is my parcel, and when will it arrive?',
    );
    const apiKey = await makeDemoKey(description, result);
    description = describe(stack, {
      organizationId: result.organizationId,
      projectId: result.projectId,
      instanceId: result.instanceId,
      apiKey,
    });
    writeDescription(options.stateDir, description);
    progress.line(`\n  order paid → ACTIVE in ${seconds(result.paidToActiveMs)}, commit ${result.commit}`);
  }
  tell(description);
} catch (error) {
  log.error({ err: error }, 'the store did not start');
  process.stderr.write(
    `\nThe store did not start: ${(error as Error).message}\n${options.verbose ? '' : `More in ${logFile}\n`}`,
  );
  await stop(1);
}

function describe(
  { publicOrigin, doubles, shop, catalogue }: Stack,
  demo: DevDescription['demo'],
): DevDescription {
  return {
    startedAt: new Date().toISOString(),
    pid: process.pid,
    urls: {
      origin: publicOrigin,
      graphql: `${publicOrigin}/graphql`,
      graphqlWs: `${publicOrigin.replace('http', 'ws')}/graphql`,
      graphiql: `${publicOrigin}/graphiql`,
      openApi: `${publicOrigin}/v1/openapi.json`,
      identity: doubles.identity.issuer,
      shop: doubles.shop.url,
      objects: doubles.objects.url,
      runtime: doubles.runtime.url,
      database: doubles.databaseUrl,
      git: path.join(options.stateDir, 'git/agentstore.git'),
    },
    runtime: doubles.runtime.name,
    users: doubles.identity.users.map(({ email, password, roles }) => ({ email, password, roles })),
    oidc: {
      issuer: doubles.identity.issuer,
      clientId: doubles.identity.clientId,
      audience: doubles.identity.audience,
    },
    shop: { channel: shop.channel, productId: shop.productId, admin: shopAdmin },
    offering: {
      slug: offeringSlug,
      id: catalogue.offeringId,
      artifactSha256: catalogue.artifactSha256,
      plans: {
        basic: shop.variants.basic.id,
        pro: shop.variants.pro.id,
        enterprise: shop.variants.enterprise.id,
      },
      creditPacks: { '1000': shop.variants.pack1000.id, '5000': shop.variants.pack5000.id },
    },
    demo,
  };
}

function tell({ urls, users, runtime }: DevDescription): void {
  progress.heading(`Up in ${seconds(performance.now() - began)}`);
  progress.line(`  GraphQL        ${urls.graphql}   (HTTP, SSE and graphql-ws)`);
  progress.line(`  GraphiQL       ${urls.graphiql}`);
  progress.line(`  REST           ${urls.openApi}`);
  progress.line(`  shop           ${urls.shop}`);
  progress.line(
    `  sign in        ${urls.identity}   ${users.map(({ email, password }) => `${email} / ${password}`).join(' · ')}`,
  );
  progress.line(`  runtime        ${runtime}`);
  progress.line(`  desired state  ${urls.git}`);
  progress.line(
    `  all of this    ${path.join(options.stateDir, 'dev.json')}, with an API key of the demo organization`,
  );
  progress.line('\n  npm run demo performs the main job again. Ctrl-C stops everything.\n');
}
