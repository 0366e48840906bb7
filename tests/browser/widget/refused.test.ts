import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { reserveCredits } from './support/reserve-credits.ts';
import { runsOf } from './support/runs-of.ts';
import { openStage, type OwnedAgent, type Stage, type Visit } from './support/stage.ts';

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent();
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

const visit = (options?: Parameters<Stage['visit']>[1]) => stage.visit(agent.widgetKey, options);
async function change(verb: string): Promise<void> {
  const { instanceChange } = await agent.owner.query(
    `mutation ($input: Instance${verb}Input!) { instanceChange: instance${verb}(input: $input) { errors { code } } }`,
    { input: { instanceId: agent.instanceId } },
  );
  expect(instanceChange.errors).toEqual([]);
}
const becomes = (state: string) =>
  agent.owner.waitFor(
    'query ($id: ID!) { instance(id: $id) { state } }',
    { id: agent.instanceId },
    ({ instance }) => instance.state === state || undefined,
  );
const runs = async (input: string): Promise<number> =>
  (await runsOf(agent)).filter((run) => run.input === input).length;
const handleOf = (page: Page): Promise<string | null> =>
  page.evaluate((key) => localStorage.getItem(`agentstore:${key}:handle`), agent.widgetKey);
const session = (verb: string, body: object): Promise<Response> =>
  fetch(`${stage.store.stack.publicOrigin}/v1/widget/session:${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stage.site.origin },
    body: JSON.stringify(body),
  });
/** What the widget itself says on the console: a browser says of each refused request that it was refused. */
const warnings = (visited: Visit): string[] =>
  visited.console.filter((text) => text.startsWith('AgentStore'));

it('leaves a page where it may not be, and tells its owner why, once', async () => {
  await agent.brand({ allowedDomains: ['https://shop.example'] });
  const visited = await visit();
  await visited.widget.host.waitFor({ state: 'detached' });
  expect(warnings(visited)).toEqual([
    `AgentStore: ${agent.widgetKey} is not shown: this site's origin is not among the allowed domains of the instance`,
  ]);
  await agent.brand({ allowedDomains: [stage.site.origin] });
  await visited.page.reload();
  await visited.widget.open();
  await visited.widget.ask('Is it you?');
  expect(await visited.widget.answered()).toContain('Is it you?');
});

it('leaves a page with a key that nobody has', async () => {
  const visited = await stage.visit('wk_nobody');
  await visited.widget.host.waitFor({ state: 'detached' });
  expect(warnings(visited)).toEqual([
    'AgentStore: wk_nobody is not shown: there is no instance with this widget key',
  ]);
});

it('says under its name that the agent is paused, and goes on when that does', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('Before the pause');
  await widget.answered();
  await change('Pause');
  await widget.notice.getByText('This agent is paused at the moment. Please come back later.').waitFor();
  expect(await widget.composer.getAttribute('aria-disabled')).toBe('true');
  await becomes('PAUSED');
  await page.reload();
  await widget.open();
  await widget.notice.getByText('This agent is paused').waitFor();
  await widget.panel.getByRole('heading', { name: 'Ada' }).waitFor();
  await change('Resume');
  await becomes('ACTIVE');
  await widget.close();
  await widget.open();
  await widget.questions.getByText('Before the pause').waitFor();
  await widget.ask('After the pause');
  expect(await widget.answered(2)).toContain('After the pause');
  await widget.notice.waitFor({ state: 'detached' });
});

it('says that the session was ended, and begins anew when it is opened again', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('Before the end');
  await widget.answered();
  await session('end', { handle: await handleOf(page) });
  await widget.notice.getByText('Your session was ended.').waitFor();
  await widget.close();
  await widget.open();
  await widget.notice.waitFor({ state: 'detached' });
  expect(await widget.questions.count()).toBe(0);
  await widget.ask('Somebody new');
  await widget.answered();
});

it('leaves when its key is taken back', async () => {
  const { widget, page } = await visit();
  await widget.open();
  await widget.ask('Before it was taken back');
  await widget.answered();
  await change('WidgetRevoke');
  await widget.notice.getByText('Your session was ended.').waitFor();
  await widget.close();
  await widget.launcher.click();
  await expect.poll(() => widget.host.count()).toBe(0);
  expect(await page.locator('agent-store-widget').count()).toBe(0);
  agent = await stage.agent();
});

it('says that a file is too large, in its size', async () => {
  const { widget } = await visit();
  await widget.open();
  const file = (name: string, bytes: number) => ({
    name,
    mimeType: 'text/plain',
    buffer: Buffer.alloc(bytes, 'a'),
  });
  const picker = widget.panel.locator('input[type=file]');
  await picker.setInputFiles(file('big.txt', 65_537));
  await widget.panel.getByText('big.txt is too large: at most 64 kB.').waitFor();
  await picker.setInputFiles(file('small.txt', 16));
  await widget.panel.getByText('big.txt is too large').waitFor({ state: 'detached' });
  await widget.ask('What is in it?');
  await widget.answered();
  expect(await widget.questions.locator('.file b').innerText()).toBe('small.txt');
});

it('keeps what was said offline, and sends it once when there is a network', async () => {
  const { context, widget } = await visit();
  await widget.open();
  await widget.ask('Online');
  await widget.answered();
  await context.setOffline(true);
  await widget.notice.getByText('You are offline. Messages are sent when you are back.').waitFor();
  await widget.ask('Said on a train');
  await widget.questions.getByText('Will be sent when you are connected').waitFor();
  expect(await runs('Said on a train')).toBe(0);
  await context.setOffline(false);
  expect(await widget.answered(2)).toContain('Said on a train');
  await widget.notice.waitFor({ state: 'detached' });
  expect(await runs('Said on a train')).toBe(1);
});

it('says how long to wait when it was asked for too often', async () => {
  const { page, widget } = await visit();
  await expect.poll(() => handleOf(page)).not.toBeNull();
  // A session is asked for again and again, until that is refused.
  await page.route(/session:init$/, async (route) => {
    const asked = route.request().postDataJSON() as { handle: string };
    let answer = await route.fetch();
    while (answer.ok()) {
      asked.handle = ((await answer.json()) as { handle: string }).handle;
      answer = await route.fetch({ postData: asked });
    }
    await route.fulfill({ response: answer });
  });
  await page.reload();
  await widget.open();
  await expect
    .poll(() => widget.notice.allInnerTexts())
    .toEqual([expect.stringMatching(/^That was a bit fast\. Please wait \d+ seconds?\.$/)]);
});

it('says that the agent is out of credits, and what is to be done, also to a screen reader', async () => {
  const poor = await stage.agent();
  await reserveCredits(stage, poor);
  const { widget } = await stage.visit(poor.widgetKey);
  await widget.open();
  await widget.ask('Can you afford it?');
  const words = 'This agent has run out of credits, so it cannot answer. Please contact the website.';
  await expect.poll(() => widget.questions.locator('.note').innerText()).toContain(words);
  await expect.poll(() => widget.host.getByRole('status').allInnerTexts()).toContain(words);
  expect(await widget.questions.count()).toBe(1);
});
