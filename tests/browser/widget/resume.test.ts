import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runsOf } from './support/runs-of.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

const positions = 50;
const visitors = 5;
/** Of an answer, so that the store says it in more messages than there are positions. */
const words = 60;

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.boughtAgent();
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** Cuts the page's sockets, both ends, when the server has said so many things more; answers whether it has been. */
interface Cutter {
  after(messages: number): void;
  readonly cuts: number;
}
async function cutter(page: Page): Promise<Cutter> {
  await page.addInitScript(() => (Math.random = () => 0)); // it comes back at once
  let left = Number.POSITIVE_INFINITY;
  let cuts = 0;
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!/"type":"p[io]ng"/.test(String(message)) && --left < 0) {
        left = Number.POSITIVE_INFINITY;
        cuts += 1;
        void Promise.all([socket.close({ code: 1012 }), server.close({ code: 1012 })]);
      } else socket.send(message);
    });
  });
  return {
    after: (messages) => void (left = messages),
    get cuts() {
      return cuts;
    },
  };
}

const balance = async (): Promise<bigint> => BigInt((await agent.owner.wallet(agent.organizationId)).balance);

it(`shows and pays each answer once, wherever its socket is cut (${positions} positions)`, async () => {
  const before = await balance();
  const shown = new Map<string, string>();
  await Promise.all(
    Array.from({ length: visitors }, async (_visitor, first) => {
      let wire: Cutter | undefined;
      const { widget } = await stage.visit(agent.widgetKey, {
        before: async (page) => void (wire = await cutter(page)),
      });
      await widget.open();
      for (let position = first, asked = 0; position < positions; position += visitors) {
        const question = `Cut at ${position}: scripted-words?tokens=${words}&delay=25`;
        wire!.after(position);
        await widget.ask(question);
        asked += 1;
        shown.set(question, await widget.answered(asked));
        expect(wire!.cuts).toBe(asked);
      }
      expect(await widget.answers.count()).toBe(positions / visitors);
    }),
  );
  const truth = Array.from({ length: words }, (_token, at) => `w${at}`).join(' ');
  const runs = await runsOf(agent);
  expect(shown.size).toBe(positions);
  expect(new Set(runs.map(({ input }) => input)).size).toBe(positions);
  expect(runs).toHaveLength(positions);
  let charged = 0n;
  for (const { input, output, charge } of runs) {
    expect(output!.trim()).toBe(truth);
    expect(shown.get(input)!.trim()).toBe(truth);
    charged += BigInt(charge);
  }
  expect(charged).toBeGreaterThan(0n);
  expect(before - (await balance())).toBe(charged);
});

it('comes through when every second word is followed by a cut', async () => {
  let wire: Cutter | undefined;
  const { widget } = await stage.visit(agent.widgetKey, {
    before: async (opened) => void (wire = await cutter(opened)),
  });
  await widget.open();
  const cutting = setInterval(() => wire!.after(2), 100);
  await widget.ask('Again and again: scripted-words?tokens=60&delay=50');
  expect((await widget.answered()).trim()).toBe(
    Array.from({ length: 60 }, (_token, at) => `w${at}`).join(' '),
  );
  clearInterval(cutting);
  expect(wire!.cuts).toBeGreaterThan(4);
});
