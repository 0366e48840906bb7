import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

const folder = path.join(import.meta.dirname, 'earlier-builds');
const builds = fs
  .readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent({ greeting: 'Good day!', launcherText: 'Ask us' });
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** Serves a page an earlier build in the place of today's; answers which of its files were asked for, and that are not there. */
async function serve(page: Page, build: string): Promise<{ served: string[]; missing: string[] }> {
  const asked = { served: [] as string[], missing: [] as string[] };
  await page.route(`${stage.store.stack.publicOrigin}/widget/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/widget/', '');
    const file = path.join(folder, build, name);
    const isThere = fs.existsSync(file);
    asked[isThere ? 'served' : 'missing'].push(name);
    if (!isThere) return route.fulfill({ status: 404 });
    await route.fulfill({
      path: file,
      contentType: 'text/javascript',
      headers: { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' },
    });
  });
  return asked;
}

async function lastRun(): Promise<object> {
  const { instance } = await agent.graph.query<{
    instance: { runs: { edges: { node: object }[] } };
  }>(
    'query ($id: ID!) { instance(id: $id) { runs(first: 1) { edges { node { input rating { rating } } } } } }',
    { id: agent.instanceId },
  );
  return instance.runs.edges[0]!.node;
}

it('there are two of them at least, which differ', () => {
  const loaders = builds.map((build) => fs.readFileSync(path.join(folder, build, 'v1/loader.js'), 'utf8'));
  expect(new Set(loaders).size).toBeGreaterThanOrEqual(2);
});

it.each(builds)('%s works with the store of today', async (build) => {
  let asked: { served: string[]; missing: string[] } = { served: [], missing: [] };
  const before = async (page: Page): Promise<void> => void (asked = await serve(page, build));
  const { page, widget, console } = await stage.visit(agent.widgetKey, { before });
  await widget.open();
  await widget.panel.getByText('Good day!').waitFor();
  await widget.ask('Does **this** still work?');
  expect(await widget.answered()).toContain('Does this still work?');

  await page.reload();
  await widget.open();
  expect(await widget.answered()).toContain('Does this still work?');
  await widget.ask('And a second time?');
  expect(await widget.answered(2)).toContain('And a second time?');
  await widget.answers.last().getByRole('button', { name: 'Good answer' }).click();
  await expect.poll(lastRun).toEqual({ input: 'And a second time?', rating: { rating: 'UP' } });
  await widget.choose('Earlier conversations');
  await widget.panel.getByRole('button', { name: /^Does \*\*this\*\* still work/ }).waitFor();

  expect(asked.served.some((name) => name.startsWith('assets/app.'))).toBe(true);
  expect({ missing: asked.missing, console }).toEqual({ missing: [], console: [] });
});
