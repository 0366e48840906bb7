import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runsOf } from './support/runs-of.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

const positions = 50;
/** At the same time, each with an agent of somebody else's: the runs of one wait for each other. */
const visitors = 5;
/** Of an answer, so slowly that the store says each in a message of its own, and of more than there are positions. */
const words = 60;
const wordMs = 25;

let stage: Stage;
let agents: readonly OwnedAgent[];
beforeAll(async () => {
  stage = await openStage();
  agents = await Promise.all(Array.from({ length: visitors }, () => stage.boughtAgent()));
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** Cuts the page's sockets, both ends, when the server has said so many things more: once, or again and again; answers how often it has been. */
interface Cutter {
  after(messages: number): void;
  every(messages: number): void;
  readonly cuts: number;
}
async function cutter(page: Page): Promise<Cutter> {
  await page.addInitScript(() => (Math.random = () => 0)); // it comes back at once
  const never = Number.POSITIVE_INFINITY;
  let left = never;
  let next = never;
  let cuts = 0;
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!/"type":"p[io]ng"/.test(String(message)) && --left < 0) {
        left = next;
        cuts += 1;
        void Promise.all([socket.close({ code: 1012 }), server.close({ code: 1012 })]);
      } else socket.send(message);
    });
  });
  return {
    after: (messages) => void ([left, next] = [messages, never]),
    every: (messages) => void (left = next = messages),
    get cuts() {
      return cuts;
    },
  };
}

const balanceOf = async ({ owner, organizationId }: OwnedAgent): Promise<bigint> =>
  BigInt((await owner.wallet(organizationId)).balance);
const wordsTo = (length: number): string => Array.from({ length }, (_word, at) => `w${at}`).join(' ');

it(`shows and pays each answer once, wherever its socket is cut (${positions} positions)`, async () => {
  const truth = wordsTo(words);
  const answered = await Promise.all(
    agents.map(async (agent, first) => {
      const before = await balanceOf(agent);
      let wire: Cutter | undefined;
      const { widget } = await stage.visit(agent.widgetKey, {
        before: async (page) => void (wire = await cutter(page)),
      });
      await widget.open();
      let asked = 0;
      for (let position = first; position < positions; position += visitors) {
        wire!.after(position);
        await widget.ask(`Cut at ${position}: scripted-words?tokens=${words}&delay=${wordMs}`);
        expect((await widget.answered(++asked)).trim()).toBe(truth);
        expect(wire!.cuts).toBe(asked);
      }
      expect(await widget.answers.count()).toBe(asked);
      const runs = await runsOf(agent);
      expect(runs.map(({ output }) => output!.trim())).toEqual(Array<string>(asked).fill(truth));
      const charged = runs.reduce((sum, { charge }) => sum + BigInt(charge), 0n);
      expect(charged).toBeGreaterThan(0n);
      expect(before - (await balanceOf(agent))).toBe(charged);
      return asked;
    }),
  );
  expect(answered.reduce((sum, asked) => sum + asked)).toBe(positions);
});

it('comes through when a socket never lives for more than a few words', async () => {
  let wire: Cutter | undefined;
  const { widget } = await stage.visit(agents[0]!.widgetKey, {
    before: async (opened) => void (wire = await cutter(opened)),
  });
  await widget.open();
  await widget.composer.waitFor();
  wire!.every(6);
  await widget.ask('Again and again: scripted-words?tokens=60&delay=50');
  expect((await widget.answered()).trim()).toBe(wordsTo(60));
  expect(wire!.cuts).toBeGreaterThan(4);
});
