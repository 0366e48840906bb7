import { describe, expect, it } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { longAnswer } from '../testing/scripts.ts';
import { answersOf, isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();

const truth = longAnswer(200);
const whole = {
  text: truth.text,
  citations: truth.citations,
  steps: truth.steps,
  state: 'done',
  failure: null,
};

describe('an answer whose connection is cut', () => {
  it(`behind any of its ${truth.events.length} events is the server's, and asked for once`, async () => {
    visits.store.script = () => truth.events;
    const chat = visits.visit();
    let cutAt = 0;
    let cuts = 0;
    visits.store.beforeEvent = (_run, seq, socket) => {
      if (seq !== cutAt) return;
      cutAt = 0;
      cuts += 1;
      socket.terminate();
    };
    for (let position = 1; position <= truth.events.length; position += 1) {
      cutAt = position;
      chat.newConversation();
      chat.send(`question ${position}`);
      const state = await until(chat, isDone());
      expect(state.messages).toMatchObject([
        { role: 'visitor', text: `question ${position}`, state: 'sent' },
        whole,
      ]);
    }
    expect(cuts).toBe(truth.events.length);
    expect(visits.store.runs.length).toBe(truth.events.length);
    expect(visits.store.starts.length).toBe(truth.events.length);
  });

  it('behind every one of its events, too', async () => {
    visits.store.script = () => truth.events;
    const cut = new Set<number>();
    visits.store.beforeEvent = (_run, seq, socket) => {
      if (cut.has(seq)) return;
      cut.add(seq);
      socket.terminate();
    };
    const chat = visits.visit();
    chat.send('hello');
    expect(answersOf(await until(chat, isDone()))).toMatchObject([whole]);
    expect(cut.size).toBe(truth.events.length);
    expect(visits.browser.sockets).toBeGreaterThan(truth.events.length);
  });

  it('comes once also from a store that sends too much after each cut', async () => {
    visits.store.script = () => truth.events;
    const cut = new Set<number>();
    visits.store.beforeEvent = (_run, seq, socket) => {
      if (seq % 7 || cut.has(seq)) return;
      cut.add(seq);
      socket.terminate();
    };
    visits.store.replayFrom = (after) => Math.max(0, after - 20);
    const chat = visits.visit();
    chat.send('hello');
    expect(answersOf(await until(chat, isDone()))).toMatchObject([whole]);
  });

  it('is fetched again where a store skipped an event', async () => {
    visits.store.script = () => truth.events;
    let skips = 2;
    visits.store.replayFrom = (after) => after + (skips-- > 0 ? 30 : 0);
    const chat = visits.visit();
    chat.send('hello');
    expect(answersOf(await until(chat, isDone()))).toMatchObject([whole]);
  });

  it.each([
    'GOING_AWAY',
    'SUBGRAPH_UNAVAILABLE',
    'UNAVAILABLE',
    'INTERNAL',
    'ACCESS_CHANGED',
    'UNAUTHENTICATED',
  ])('goes on after %s', async (code) => {
    visits.store.script = () => truth.events;
    visits.store.streamErrors.push(code, code);
    const chat = visits.visit();
    chat.send('hello');
    expect(answersOf(await until(chat, isDone()))).toMatchObject([whole]);
    expect(visits.store.inits.length).toBe(code === 'UNAUTHENTICATED' ? 3 : 1);
  });

  it('fails where the run is not theirs', async () => {
    visits.store.script = () => truth.events;
    visits.store.streamErrors.push('NOT_FOUND');
    const chat = visits.visit();
    chat.send('hello');
    const state = await until(chat, ({ messages }) => messages[1]?.state === 'failed');
    expect(answersOf(state)).toMatchObject([{ state: 'failed', failure: 'answer-failed' }]);
  });
});

describe('a question whose connection is cut', () => {
  it.each(['came', 'done'] as const)('when it %s makes one run', async (phase) => {
    visits.store.script = () => truth.events;
    let cuts = 3;
    visits.store.onField = async (field, now, socket) => {
      if (field === 'runStart' && now === phase && cuts-- > 0) socket.terminate();
    };
    const chat = visits.visit();
    chat.send('hello');
    expect(answersOf(await until(chat, isDone()))).toMatchObject([whole]);
    expect(visits.store.runs.length).toBe(1);
    expect(new Set(visits.store.starts).size).toBe(1);
    expect(visits.store.starts.length).toBe(4);
  });
});

describe('a page that is loaded again', () => {
  it('in the middle of an answer goes on with it', async () => {
    const half = 100;
    const first = visits.visit();
    first.send('hello');
    await until(first, ({ messages }) => messages.length === 2);
    visits.store.play(visits.store.runs[0]!, truth.events.slice(0, half));
    await until(first, (state) => answersOf(state)[0]?.text.includes('w50') ?? false);
    first.shutdown();

    const second = visits.visit();
    expect(second.state.messages).toEqual([]);
    await second.open();
    await until(second, (state) => answersOf(state)[0]?.text.includes('w50') ?? false);
    expect(answersOf(second.state)).toMatchObject([{ state: 'streaming' }]);
    visits.store.play(visits.store.runs[0]!, truth.events.slice(half));
    const state = await until(second, isDone());
    expect(state.messages).toMatchObject([{ role: 'visitor', text: 'hello', state: 'sent' }, whole]);
    expect(visits.store.runs.length).toBe(1);
  });

  it('after the answer shows the same messages', async () => {
    visits.store.script = () => truth.events;
    const first = visits.visit();
    first.send('hello');
    await until(first, isDone());
    const second = visits.visit();
    await second.open();
    expect(answersOf(second.state)).toEqual(answersOf(first.state));
  });

  it('before its question was accepted sends it, under its key', async () => {
    visits.store.script = () => truth.events;
    let isCut = false;
    visits.store.onField = async (field, phase, socket) => {
      if (field !== 'runStart' || phase !== 'done' || isCut) return;
      isCut = true;
      first.shutdown();
      socket.terminate();
    };
    const first = visits.visit();
    first.send('hello');
    await expect.poll(() => isCut).toBe(true);
    const second = visits.visit();
    expect(second.state.messages).toMatchObject([{ text: 'hello', state: 'queued' }]);
    await second.open();
    const state = await until(second, isDone());
    expect(state.messages).toMatchObject([{ text: 'hello', state: 'sent' }, whole]);
    expect(visits.store.runs.length).toBe(1);
  });
});

describe('events that are gone', () => {
  it('are replaced by what the run says', async () => {
    const chat = visits.visit();
    chat.send('hello');
    await until(chat, ({ messages }) => messages.length === 2);
    const run = visits.store.runs[0]!;
    run.goneTo = 150;
    visits.store.play(run, truth.events.slice(0, 180));
    await until(chat, (state) => answersOf(state)[0]?.state === 'streaming');
    visits.store.play(run, truth.events.slice(180));
    expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text, state: 'done' }]);
  });

  it('to the last, also', async () => {
    visits.store.script = () => truth.events;
    const first = visits.visit();
    first.send('hello');
    await until(first, isDone());
    visits.store.runs[0]!.goneTo = truth.events.length;
    const second = visits.visit();
    await second.open();
    expect(answersOf(second.state)).toMatchObject([{ text: truth.text, state: 'done', citations: [] }]);
  });
});
