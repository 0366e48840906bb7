import { describe, expect, it } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { shortAnswer } from '../testing/scripts.ts';
import { isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();
const outboxOf = () =>
  JSON.parse(visits.browser.stored.get('agentstore:wk_1:outbox') ?? '[]') as { text: string }[];

describe('messages without a connection', () => {
  it('wait, are kept, and go once and in order when there is one', async () => {
    const { store, browser, visit } = visits;
    store.script = (input) => shortAnswer(`to ${input}`);
    browser.goOnline(false);
    browser.random = 0.5;
    const chat = visit();
    void chat.open();
    for (const text of ['one', 'two', 'three']) chat.send(text);
    expect(chat.state.messages).toMatchObject([
      { text: 'one', state: 'queued' },
      { text: 'two', state: 'queued' },
      { text: 'three', state: 'queued' },
    ]);
    expect(outboxOf().map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    await until(chat, ({ connection }) => connection === 'offline');
    expect(store.inits).toEqual([]);

    browser.goOnline(true);
    const state = await until(chat, isDone(3));
    expect(state.messages.map(({ text }) => text)).toEqual([
      'one',
      'to one',
      'two',
      'to two',
      'three',
      'to three',
    ]);
    expect(store.runs.map(({ input }) => input)).toEqual(['one', 'two', 'three']);
    expect(store.starts.length).toBe(3);
    expect(new Set(store.runs.map(({ conversation }) => conversation.id)).size).toBe(1);
    expect(outboxOf()).toEqual([]);
    expect(state.trouble).toBeNull();
  });

  it('lost in the middle of an answer go on by themselves', async () => {
    const { store, browser, visit } = visits;
    const chat = visit();
    chat.send('one');
    await until(chat, ({ messages }) => messages.length === 2);
    browser.random = 0.5;
    browser.goOnline(false);
    store.cutAll();
    await until(chat, ({ connection }) => connection === 'offline');
    chat.send('two');
    store.script = () => shortAnswer('second');
    store.play(store.runs[0]!, shortAnswer('first'));
    browser.goOnline(true);
    const state = await until(chat, isDone(2));
    expect(state.messages.map(({ text }) => text)).toEqual(['one', 'first', 'two', 'second']);
    expect(state.connection).toBe('open');
  });

  it('are sent by the next page', async () => {
    const { store, browser, visit } = visits;
    store.script = (input) => shortAnswer(`to ${input}`);
    browser.goOnline(false);
    browser.random = 0.5;
    const first = visit();
    first.send('one');
    first.send('two');
    first.shutdown();
    browser.goOnline(true);
    const second = visit();
    expect(second.state.messages).toMatchObject([{ text: 'one', state: 'queued' }, { text: 'two' }]);
    await second.open();
    const state = await until(second, isDone(2));
    expect(state.messages.map(({ text }) => text)).toEqual(['one', 'to one', 'two', 'to two']);
  });

  it('are at most 50', () => {
    const { browser, visit } = visits;
    browser.goOnline(false);
    const chat = visit();
    for (let n = 0; n < 51; n += 1) chat.send(`m${n}`);
    expect(outboxOf().length).toBe(50);
    expect(chat.state.messages.map(({ state }) => state)).toEqual([...Array(50).fill('queued'), 'failed']);
    expect(chat.state.messages.at(-1)).toMatchObject({ failure: 'too-many-runs' });
  });
});

it('one run at a time: the next question waits for the answer', async () => {
  const { store, visit } = visits;
  const chat = visit();
  chat.send('one');
  await until(chat, ({ messages }) => messages.length === 2);
  chat.send('two');
  store.play(store.runs[0]!, shortAnswer('first').slice(0, 2));
  await until(chat, ({ messages }) => messages[1]!.text === 'first');
  expect(chat.state.messages).toMatchObject([{}, { state: 'streaming' }, { text: 'two', state: 'queued' }]);
  expect(store.runs.length).toBe(1);
  store.play(store.runs[0]!, shortAnswer('first').slice(2));
  await until(chat, ({ messages }) => messages.length === 4);
  expect(store.runs.map(({ input }) => input)).toEqual(['one', 'two']);
});

describe('a question that is refused', () => {
  it.each([
    ['INSUFFICIENT_CREDITS', 'out-of-credits'],
    ['VISITOR_CAP_REACHED', 'visitor-cap'],
    ['INSTANCE_PAUSED', 'paused'],
    ['INSTANCE_NOT_ACTIVE', 'paused'],
    ['TOO_MANY_RUNS', 'too-many-runs'],
    ['INVALID_INPUT', 'rejected'],
    ['SOMETHING_NEW', 'rejected'],
  ])('with %s says %s, and is sent again under its key', async (code, failure) => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    store.refuseStart = (input) => (input === 'bad' ? code : null);
    const chat = visit();
    chat.send('bad');
    chat.send('good');
    const state = await until(chat, isDone(1));
    expect(state.messages).toMatchObject([
      { text: 'bad', state: 'failed', failure },
      { text: 'good', state: 'sent' },
      { text: 'yes' },
    ]);
    expect(outboxOf()).toEqual([]);
    store.refuseStart = () => null;
    chat.retry(state.messages[0]!.key);
    const after = await until(chat, isDone(2));
    expect(after.messages.map(({ text }) => text)).toEqual(['good', 'yes', 'bad', 'yes']);
    expect(after.messages[2]!.key).toBe(state.messages[0]!.key);
    expect(store.runs[1]!.key).toBe(state.messages[0]!.key);
  });

  it('because it is too long is not sent', async () => {
    const { store, visit } = visits;
    const chat = visit();
    await chat.open();
    chat.send('x'.repeat(101));
    expect(chat.state.messages).toMatchObject([{ state: 'failed', failure: 'too-long' }]);
    expect(store.starts).toEqual([]);
    chat.send('   ');
    expect(chat.state.messages.length).toBe(1);
  });
});
