import { describe, expect, it } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { shortAnswer } from '../testing/scripts.ts';
import { answersOf, isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();

describe('stop', () => {
  it('ends the answer at the server, keeps what was said, and the next question goes', async () => {
    const { store, visit } = visits;
    const chat = visit();
    chat.send('one');
    await until(chat, ({ messages }) => messages.length === 2);
    store.play(store.runs[0]!, shortAnswer('half').slice(0, 2));
    await until(chat, ({ messages }) => messages[1]!.text === 'half');
    chat.send('two');
    store.script = () => shortAnswer('next');
    chat.stop();
    expect(answersOf(chat.state)).toMatchObject([{ state: 'stopping', text: 'half' }]);
    await until(chat, ({ messages }) => messages.at(-1)!.state === 'done');
    expect(chat.state.messages).toMatchObject([{}, { state: 'stopped', text: 'half' }, {}, { text: 'next' }]);
    expect(store.runs[0]!.state).toBe('CANCELLED');

    const later = visit();
    await later.open();
    await until(later, ({ messages }) => messages[1]?.text === 'half');
    expect(answersOf(later.state)).toEqual(answersOf(chat.state));
  });

  it('while the question is on its way stops its answer', async () => {
    const { store, visit } = visits;
    const chat = visit();
    store.onField = async (field, phase) => {
      if (field === 'runStart' && phase === 'came') chat.stop();
    };
    chat.send('one');
    await until(chat, ({ messages }) => messages[1]?.state === 'stopped');
    expect(store.runs[0]!.state).toBe('CANCELLED');
  });
});

describe('retry', () => {
  it.each([
    ['failed', { __typename: 'RunFailed', error: { code: 'RUNNER_LOST', message: '' } }],
    ['stopped', { __typename: 'RunCancelled' }],
  ])('asks the question of a %s answer anew', async (state, end) => {
    const { store, visit } = visits;
    store.script = () => [end];
    const chat = visit();
    chat.send('why');
    await until(chat, ({ messages }) => messages[1]?.state === state);
    store.script = () => shortAnswer('because');
    chat.retry(chat.state.messages[1]!.key);
    await until(chat, ({ messages }) => messages[3]?.state === 'done');
    expect(store.runs.map(({ input }) => input)).toEqual(['why', 'why']);
    expect(store.runs[0]!.key).not.toBe(store.runs[1]!.key);
  });
});

it.each([
  ['CREDITS_EXHAUSTED', 'out-of-credits'],
  ['MAX_CHARGE_REACHED', 'visitor-cap'],
  ['RUNTIME_ERROR', 'answer-failed'],
])('an answer that fails with %s says %s, also in the history', async (code, failure) => {
  const { store, visit } = visits;
  store.script = () => [
    ...shortAnswer('so far').slice(0, 2),
    { __typename: 'RunFailed', error: { code, message: '' } },
  ];
  const chat = visit();
  chat.send('why');
  await until(chat, ({ messages }) => messages[1]?.state === 'failed');
  expect(answersOf(chat.state)).toMatchObject([{ failure, text: 'so far' }]);
  const later = visit();
  await later.open();
  await until(later, ({ messages }) => messages[1]?.text === 'so far');
  expect(answersOf(later.state)).toEqual(answersOf(chat.state));
});

it('what streamed gives way to the output', async () => {
  const { store, visit } = visits;
  store.script = () => [
    { __typename: 'TextMessageContent', messageId: 'm1', delta: 'draft' },
    { __typename: 'RunFinished', output: 'final' },
  ];
  const chat = visit();
  chat.send('why');
  expect(answersOf(await until(chat, isDone()))).toMatchObject([{ text: 'final' }]);
});

describe('rate', () => {
  it('is there at once, at the server, and in the history', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('why');
    await until(chat, isDone());
    const rated = chat.rate('run-1', 'DOWN', 'wrong');
    expect(answersOf(chat.state)[0]!.rating).toEqual({ rating: 'DOWN', reason: 'wrong' });
    await rated;
    expect(store.runs[0]!.rating).toEqual({ rating: 'DOWN', reason: 'wrong' });
    const later = visit();
    await later.open();
    expect(answersOf(later.state)[0]!.rating).toEqual({ rating: 'DOWN', reason: 'wrong' });
  });

  it('is taken back when it is refused', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('why');
    await until(chat, isDone());
    await chat.rate('run-1', 'UP', 'refuse');
    expect(answersOf(chat.state)[0]!.rating).toBeNull();
  });
});

describe('conversations', () => {
  it('are listed, begun and opened again, each with its messages', async () => {
    const { store, visit } = visits;
    store.script = (input) => shortAnswer(`to ${input}`);
    const chat = visit();
    chat.send('one');
    await until(chat, isDone());
    expect(chat.state.conversationId).toBe('conversation-1');
    chat.newConversation();
    expect(chat.state).toMatchObject({ conversationId: null, messages: [] });
    chat.send('two');
    await until(chat, isDone());
    await chat.loadConversations();
    expect(chat.state.conversations).toEqual([
      { id: 'conversation-2', title: 'two', startedAt: Date.UTC(2026, 0, 2) },
      { id: 'conversation-1', title: 'one', startedAt: Date.UTC(2026, 0, 1) },
    ]);
    await chat.openConversation('conversation-1');
    expect(chat.state.messages.map(({ text }) => text)).toEqual(['one', 'to one']);

    const later = visit();
    await later.open();
    expect(later.state.conversationId).toBe('conversation-1');
    await later.openConversation('conversation-2');
    expect(later.state.messages.map(({ text }) => text)).toEqual(['two', 'to two']);
  });

  it('that are long come in pages, oldest last', async () => {
    const { store, visit } = visits;
    const chat = visit();
    await chat.open();
    const visitor = [...store.tokens.values()][0]!;
    for (let n = 0; n < 23; n += 1)
      store.addRun(visitor, `q${n}`, shortAnswer(`a${n}`), n ? 'conversation-1' : undefined);
    await chat.openConversation('conversation-1');
    const texts = (from: number) =>
      Array.from({ length: 23 - from }, (_, n) => [`q${n + from}`, `a${n + from}`]).flat();
    expect(chat.state.messages.map(({ text }) => text)).toEqual(texts(13));
    expect(chat.state.hasOlder).toBe(true);
    await Promise.all([chat.loadOlder(), chat.loadOlder()]);
    expect(chat.state.messages.map(({ text }) => text)).toEqual(texts(3));
    await chat.loadOlder();
    expect(chat.state.messages.map(({ text }) => text)).toEqual(texts(0));
    expect(chat.state.hasOlder).toBe(false);
  });

  it('of somebody else are none', async () => {
    const { store, browser, visit } = visits;
    store.addRun('stranger', 'secret', shortAnswer('secret'));
    browser.stored.set('agentstore:wk_1:conversation', 'conversation-1');
    const chat = visit();
    await chat.open();
    expect(chat.state).toMatchObject({ conversationId: null, messages: [] });
  });

  it('that are left go on in the background', async () => {
    const { store, visit } = visits;
    const chat = visit();
    chat.send('one');
    await until(chat, ({ messages }) => messages.length === 2);
    chat.newConversation();
    store.play(store.runs[0]!, shortAnswer('first'));
    store.script = () => shortAnswer('second');
    chat.send('two');
    await until(chat, isDone());
    await chat.openConversation('conversation-1');
    expect((await until(chat, isDone())).messages.map(({ text }) => text)).toEqual(['one', 'first']);
  });
});

it('answers that end while the panel is closed are unread until it is opened', async () => {
  const { store, visit } = visits;
  const chat = visit();
  await chat.open();
  chat.send('one');
  await until(chat, ({ messages }) => messages.length === 2);
  chat.close();
  store.play(store.runs[0]!, shortAnswer('first'));
  await until(chat, ({ unread }) => unread === 1);
  await chat.open();
  expect(chat.state.unread).toBe(0);
  store.script = () => shortAnswer('second');
  chat.send('two');
  await until(chat, isDone(2));
  expect(chat.state.unread).toBe(0);
});

describe('the state', () => {
  it('keeps what did not change, and tells of many changes once', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('first');
    const chat = visit();
    chat.send('one');
    const before = await until(chat, isDone());
    store.script = () => [];
    chat.send('two');
    await until(chat, ({ messages }) => messages.length === 4);
    const branding = chat.state.branding;
    store.play(store.runs[1]!, shortAnswer('second'));
    const after = await until(chat, isDone(2));
    expect(after.messages.slice(0, 2).every((message, n) => message === before.messages[n])).toBe(true);
    expect(after.branding).toBe(branding);

    let told = 0;
    const stop = chat.subscribe(() => (told += 1));
    chat.newConversation();
    chat.send('a');
    chat.send('b');
    expect(told).toBe(0);
    await Promise.resolve();
    expect(told).toBe(1);
    stop();
  });

  it('does not change after a shutdown', async () => {
    const { store, browser, visit } = visits;
    const chat = visit();
    chat.send('one');
    await until(chat, ({ messages }) => messages.length === 2);
    chat.shutdown();
    const { messages } = chat.state;
    store.play(store.runs[0]!, shortAnswer('first'));
    chat.send('two');
    await chat.open();
    await expect.poll(() => store.sockets.size).toBe(0);
    expect(chat.state.messages).toBe(messages);
    expect(store.inits.length).toBe(1);
    expect(browser.wakers.size).toBe(0);
  });
});

it('works from memory where storage is blocked', async () => {
  const { store, browser, visit } = visits;
  browser.storageFails = true;
  store.script = (input) => shortAnswer(`to ${input}`);
  const chat = visit();
  chat.send('one');
  await until(chat, isDone());
  chat.send('two');
  await until(chat, isDone(2));
  expect(store.runs.map(({ conversation }) => conversation.id)).toEqual(['conversation-1', 'conversation-1']);
  expect(browser.stored.size).toBe(0);
});

it('what is kept is no more than the protocol says, and nothing after a reset', async () => {
  const { store, browser, visit } = visits;
  store.script = () => shortAnswer('first');
  const chat = visit();
  chat.send('one');
  await until(chat, isDone());
  expect([...browser.stored.keys()]).toEqual(['agentstore:wk_1:handle', 'agentstore:wk_1:conversation']);
  const handle = browser.stored.get('agentstore:wk_1:handle');
  await chat.reset();
  expect(store.ended).toEqual([handle]);
  expect(browser.stored.size).toBe(0);
  expect(chat.state).toMatchObject({ messages: [], conversationId: null, identified: false, unread: 0 });
  await expect.poll(() => store.sockets.size).toBe(0);
  chat.send('two');
  await until(chat, isDone());
  expect(store.runs[1]!.visitorId).not.toBe(store.runs[0]!.visitorId);
  expect(store.runs[1]!.conversation.id).toBe('conversation-2');
});
