import { describe, expect, it } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { shortAnswer } from '../testing/scripts.ts';
import { answersOf, isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();

describe('two tabs', () => {
  it('show the same talk, each message once, and are one visitor', async () => {
    const { store, browser, visit } = visits;
    const [one, two] = [visit(), visit()];
    await Promise.all([one.open(), two.open()]);
    expect(browser.inLock.most).toBe(1);
    expect(new Set(store.tokens.values()).size).toBe(1);
    one.send('from one');
    await Promise.all([one, two].map((chat) => until(chat, ({ messages }) => messages.length === 2)));
    store.play(store.runs[0]!, shortAnswer('first'));
    await Promise.all([one, two].map((chat) => until(chat, isDone())));
    two.send('from two');
    await Promise.all([one, two].map((chat) => until(chat, ({ messages }) => messages.length === 4)));
    store.play(store.runs[1]!, shortAnswer('second'));
    await Promise.all([one, two].map((chat) => until(chat, isDone(2))));
    const texts = ['from one', 'first', 'from two', 'second'];
    expect(one.state.messages.map(({ text }) => text)).toEqual(texts);
    expect(two.state.messages.map(({ text }) => text)).toEqual(texts);
    expect(answersOf(one.state)).toEqual(answersOf(two.state));
    expect(store.runs.length).toBe(2);
    expect(store.conversations.length).toBe(1);
  });

  it('with the same outbox send each message once', async () => {
    const { store, browser, visit } = visits;
    store.script = (input) => shortAnswer(`to ${input}`);
    browser.goOnline(false);
    browser.random = 0.5;
    const one = visit();
    one.send('a');
    one.send('b');
    const two = visit();
    void two.open();
    browser.goOnline(true);
    await Promise.all([one, two].map((chat) => until(chat, isDone(2))));
    const texts = ['a', 'to a', 'b', 'to b'];
    expect(one.state.messages.map(({ text }) => text)).toEqual(texts);
    expect(two.state.messages.map(({ text }) => text)).toEqual(texts);
    expect(store.runs.length).toBe(2);
    expect(store.conversations.length).toBe(1);
    expect(browser.stored.has('agentstore:wk_1:outbox')).toBe(false);
  });

  it('that was not opened asks for nothing', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('first');
    const [one, two] = [visit(), visit()];
    one.send('hello');
    await until(one, isDone());
    await expect.poll(() => two.state.unread).toBe(1);
    expect(two.state.messages).toEqual([]);
    expect(store.inits.length).toBe(1);
  });

  it('count an answer as unread once, and not when one of them shows it', async () => {
    const { store, visit } = visits;
    const [one, two] = [visit(), visit()];
    await Promise.all([one.open(), two.open()]);
    one.send('hello');
    await Promise.all([one, two].map((chat) => until(chat, ({ messages }) => messages.length === 2)));
    one.close();
    two.close();
    store.play(store.runs[0]!, shortAnswer('first'));
    await Promise.all([one, two].map((chat) => until(chat, isDone())));
    await Promise.all([one, two].map((chat) => until(chat, ({ unread }) => unread === 1)));
    await two.open();
    await until(one, ({ unread }) => unread === 0);
    two.send('again');
    await Promise.all([one, two].map((chat) => until(chat, ({ messages }) => messages.length === 4)));
    store.play(store.runs[1]!, shortAnswer('second'));
    await Promise.all([one, two].map((chat) => until(chat, isDone(2))));
    await until(one, ({ unread }) => unread === 0);
    expect(two.state.unread).toBe(0);
  });

  it('forget the visitor together', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('first');
    const [one, two] = [visit(), visit()];
    await Promise.all([one.open(), two.open()]);
    one.send('hello');
    await Promise.all([one, two].map((chat) => until(chat, isDone())));
    await one.reset();
    await until(two, ({ messages }) => messages.length === 0);
    expect(two.state.conversationId).toBeNull();
    expect(store.ended.length).toBe(1);
  });
});

it('what was said on another device is there when the page is seen again', async () => {
  const { store, browser, visit } = visits;
  store.script = (input) => shortAnswer(`to ${input}`);
  const chat = visit();
  await chat.open();
  chat.send('here');
  await until(chat, isDone());
  store.addRun(store.runs[0]!.visitorId, 'there', shortAnswer('to there'), 'conversation-1');
  browser.clock.advance(10_000);
  browser.wake();
  browser.clock.advance(20_000);
  browser.wake();
  browser.wake();
  const state = await until(chat, isDone(2));
  expect(state.messages.map(({ text }) => text)).toEqual(['here', 'to here', 'there', 'to there']);
});
