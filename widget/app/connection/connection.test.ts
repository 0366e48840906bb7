import { describe, expect, it, vi } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { longAnswer, shortAnswer } from '../testing/scripts.ts';
import { answersOf, isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();
const truth = longAnswer(40);

async function midAnswer() {
  const { store, visit } = visits;
  const chat = visit();
  chat.send('hello');
  await until(chat, ({ messages }) => messages.length === 2);
  store.play(store.runs[0]!, truth.events.slice(0, 30));
  await until(chat, (state) => answersOf(state)[0]!.text.includes('w10'));
  return chat;
}

it('knows its operations apart on a page that has replaced Math.random', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  try {
    const chat = await midAnswer();
    const { store } = visits;
    await chat.loadConversations();
    store.play(store.runs[0]!, truth.events.slice(30));
    expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text }]);
  } finally {
    vi.restoreAllMocks();
  }
});

describe('a close', () => {
  it.each([1001, 1006, 1011 + 1, 1013, 4408])('with %i connects again', async (code) => {
    const chat = await midAnswer();
    const { store, browser } = visits;
    if (code === 1006) store.cutAll();
    else store.closeAll(code);
    store.play(store.runs[0]!, truth.events.slice(30));
    expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text, steps: truth.steps }]);
    expect(browser.sockets).toBe(2);
    expect(store.inits.length).toBe(1);
    expect(chat.state.trouble).toBeNull();
  });

  it('with 4403 asks for a session and goes on', async () => {
    const chat = await midAnswer();
    const { store } = visits;
    store.tokens.clear();
    store.closeAll(4403);
    store.play(store.runs[0]!, truth.events.slice(30));
    expect(answersOf(await until(chat, isDone()))).toMatchObject([
      { text: truth.text, citations: truth.citations },
    ]);
    expect(store.inits.length).toBe(2);
    expect(store.runs.length).toBe(1);
  });

  it('with 4403 when nothing is under way asks why', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('hello');
    await until(chat, isDone());
    store.refusals.push({ status: 409, code: 'INSTANCE_PAUSED' });
    store.closeAll(4403);
    await until(chat, ({ trouble }) => trouble?.kind === 'paused');
    expect(store.inits.length).toBe(2);
  });

  it('with 4403 before anything was said asks again, too', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    await chat.open();
    store.tokens.clear();
    chat.send('hello');
    await until(chat, isDone());
    expect(store.inits.length).toBe(2);
  });

  it('with 4401 stops and forgets the session; the panel opened again is a new visitor', async () => {
    const chat = await midAnswer();
    const { store, browser } = visits;
    store.closeAll(4401);
    await until(chat, ({ trouble }) => trouble?.kind === 'revoked');
    expect(browser.stored.size).toBe(0);
    expect(chat.state.connection).not.toBe('open');
    expect([store.inits.length, browser.sockets]).toEqual([1, 1]);
    await chat.open();
    expect(chat.state).toMatchObject({ trouble: null, messages: [] });
    expect(store.inits[1]).toEqual({ widgetKey: 'wk_1' });
  });

  it.each([1002, 4400, 4406, 4409, 4429, 4500])(
    'with %i is final until the panel is opened again',
    async (code) => {
      const chat = await midAnswer();
      const { store, browser } = visits;
      store.closeAll(code);
      await until(chat, ({ trouble }) => trouble?.kind === 'unavailable');
      store.play(store.runs[0]!, truth.events.slice(30));
      expect(browser.sockets).toBe(1);
      await chat.open();
      expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text }]);
      expect(chat.state.trouble).toBeNull();
    },
  );
});

describe('a socket that says nothing any more', () => {
  it('is given up after 30 s', async () => {
    const chat = await midAnswer();
    const { store, browser } = visits;
    store.isMute = true;
    store.play(store.runs[0]!, truth.events.slice(30));
    browser.clock.advance(29_999);
    expect(browser.sockets).toBe(1);
    store.isMute = false;
    browser.clock.advance(1);
    expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text, steps: truth.steps }]);
    expect(browser.sockets).toBe(2);
  });

  it('is found out 5 s after the page is seen again', async () => {
    const chat = await midAnswer();
    const { store, browser } = visits;
    store.isMute = true;
    store.play(store.runs[0]!, truth.events.slice(30));
    browser.wake();
    browser.clock.advance(4_999);
    expect(browser.sockets).toBe(1);
    store.isMute = false;
    browser.clock.advance(1);
    expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: truth.text }]);
    expect(browser.sockets).toBe(2);
  });

  it('is kept when it answers', async () => {
    const chat = await midAnswer();
    const { store, browser } = visits;
    const pinged = new Promise((resolve) =>
      [...store.sockets][0]!.once('message', (data: Buffer) => resolve(data.toString())),
    );
    browser.wake();
    expect(await pinged).toBe('{"type":"ping"}');
    store.play(store.runs[0]!, truth.events.slice(30));
    await until(chat, isDone());
    browser.clock.advance(5_000);
    expect(browser.sockets).toBe(1);
    expect(chat.state.connection).toBe('open');
  });
});

it('the words of the connection', async () => {
  const { store, browser, visit } = visits;
  browser.random = 0.5;
  const chat = visit();
  const words: string[] = [chat.state.connection];
  chat.subscribe(() => {
    if (words.at(-1) !== chat.state.connection) words.push(chat.state.connection);
  });
  chat.send('hello');
  await until(chat, ({ messages }) => messages.length === 2);
  store.cutAll();
  await until(chat, ({ connection }) => connection === 'reconnecting');
  browser.clock.advance(1_000);
  await until(chat, ({ connection }) => connection === 'open');
  store.cutAll();
  await until(chat, ({ connection }) => connection === 'reconnecting');
  browser.goOnline(false);
  await until(chat, ({ connection }) => connection === 'offline');
  browser.goOnline(true);
  await until(chat, ({ connection }) => connection === 'open');
  expect(words).toEqual([
    'idle',
    'connecting',
    'open',
    'reconnecting',
    'open',
    'reconnecting',
    'offline',
    'reconnecting',
    'open',
  ]);
});
