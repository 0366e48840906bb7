import { describe, expect, it, vi } from 'vitest';
import { until } from '../testing/demo-browser.ts';
import { branding, type Refusal } from '../testing/demo-store.ts';
import { shortAnswer } from '../testing/scripts.ts';
import { isDone, useVisits } from '../testing/visits.ts';

const visits = useVisits();
const handleOf = () => visits.browser.stored.get('agentstore:wk_1:handle');

describe('a session', () => {
  it('is asked for when the panel opens, and goes on by its handle', async () => {
    const { store, visit } = visits;
    const first = visit();
    expect(store.inits).toEqual([]);
    await first.open();
    expect(first.state).toMatchObject({
      branding,
      identified: false,
      limits: { inputCharacters: 100 },
      trouble: null,
    });
    expect(store.inits).toEqual([{ widgetKey: 'wk_1' }]);
    const handle = handleOf();
    await first.open();
    const second = visit();
    await second.open();
    expect(store.inits).toEqual([{ widgetKey: 'wk_1' }, { widgetKey: 'wk_1', handle }]);
    expect(handleOf()).not.toBe(handle);
  });

  it('is asked for when the page carries the widget, without a connection; what was not sent is', async () => {
    const { store, browser, visit } = visits;
    const first = visit();
    await first.prepare();
    expect([store.inits.length, browser.sockets]).toEqual([1, 0]);
    first.shutdown();
    browser.stored.set(
      'agentstore:wk_1:outbox',
      JSON.stringify([{ key: 'k', text: 'hello', conversationId: null }]),
    );
    store.script = () => shortAnswer('yes');
    const chat = visit();
    await chat.prepare();
    await until(chat, isDone());
    expect(store.runs.length).toBe(1);
  });

  it('is asked for anew when the page says who the visitor is', async () => {
    const { store, visit } = visits;
    const chat = visit();
    const prepared = chat.prepare();
    await chat.identify('jwt');
    await prepared;
    expect(store.inits.at(-1)).toMatchObject({ identity: 'jwt' });
    expect(chat.state.branding).toEqual(branding);
  });

  it('keeps its token to itself', async () => {
    const { store, browser, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('hello');
    await until(chat, isDone());
    const [token] = store.tokens.keys();
    expect(JSON.stringify([...browser.stored, chat.state])).not.toContain(token);
  });

  it('is renewed before its end, while a socket is open', async () => {
    const { store, browser, visit } = visits;
    store.expiresIn = 20;
    const chat = visit();
    chat.send('hello');
    await until(chat, ({ messages }) => messages.length === 2);
    browser.clock.advance(17_999);
    expect(store.inits.length).toBe(1);
    browser.clock.advance(1);
    await expect.poll(() => store.inits.length).toBe(2);
    store.closeAll(4403);
    store.play(store.runs[0]!, shortAnswer('yes'));
    await until(chat, isDone());
    expect(store.inits.length).toBe(2);
  });
});

describe('a refusal', () => {
  it('of a page without an origin is known without asking', async () => {
    vi.stubGlobal('origin', 'null');
    const { store, visit } = visits;
    const chat = visit();
    await chat.prepare();
    expect(chat.state.trouble).toEqual({ kind: 'refused-origin' });
    expect(store.inits).toEqual([]);
    vi.unstubAllGlobals();
  });

  it.each<[Refusal, object]>([
    [{ status: 401, code: 'SESSION_REVOKED' }, { kind: 'revoked' }],
    [{ status: 403, code: 'ORIGIN_NOT_ALLOWED' }, { kind: 'refused-origin' }],
    [{ status: 404, code: 'WIDGET_NOT_FOUND' }, { kind: 'not-found' }],
    [{ status: 409, code: 'INSTANCE_PAUSED', branding }, { kind: 'paused' }],
    [{ status: 409, code: 'INSTANCE_NOT_READY', branding }, { kind: 'not-ready' }],
    [{ status: 400, code: 'BAD_USER_INPUT' }, { kind: 'unavailable' }],
  ])('%o is told, and asked about again when the panel is opened', async (refusal, trouble) => {
    const { store, visit } = visits;
    store.refusals.push(refusal);
    const chat = visit();
    await chat.open();
    expect(chat.state.trouble).toEqual(trouble);
    expect(chat.state.branding).toEqual(refusal.branding ?? null);
    expect(store.inits.length).toBe(1);
    await chat.open();
    expect(chat.state.trouble).toBeNull();
    expect(store.inits.length).toBe(2);
  });

  it('with 429 waits as long as it is told', async () => {
    const { store, browser, visit } = visits;
    store.refusals.push({ status: 429, code: 'RATE_LIMITED', retryAfter: 7 });
    const chat = visit();
    const opened = chat.open();
    await until(chat, ({ trouble }) => trouble?.kind === 'rate-limited');
    expect(chat.state.trouble).toEqual({ kind: 'rate-limited', retryAfterSeconds: 7 });
    browser.clock.advance(6_999);
    browser.wake();
    expect(store.inits.length).toBe(1);
    browser.clock.advance(1);
    await opened;
    expect(chat.state.trouble).toBeNull();
  });

  it('with 503 waits longer each time', async () => {
    const { store, browser, visit } = visits;
    const waits: number[] = [];
    store.refusals.push(...Array.from({ length: 7 }, () => ({ status: 503, code: 'UNAVAILABLE' })));
    browser.random = 0.5;
    const tab = browser.clock.after;
    browser.clock.after = (ms, call) => {
      if (ms === 15_000 && call.toString().includes('abort')) return tab(ms, call);
      waits.push(ms);
      return tab(0, call);
    };
    const chat = visit();
    await chat.open();
    expect(waits.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(store.inits.length).toBe(8);
  });

  it('of a revoked session forgets it: who comes next is another visitor', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const first = visit();
    first.send('hello');
    await until(first, isDone());
    store.refusals.push({ status: 401, code: 'SESSION_REVOKED' });
    const second = visit();
    await second.open();
    expect(handleOf()).toBeUndefined();
    await second.open();
    expect(store.inits.at(-1)).toEqual({ widgetKey: 'wk_1' });
    expect(second.state.messages).toEqual([]);
  });
});

describe('an identity', () => {
  it('is sent, and makes another visitor with nothing of the one before', async () => {
    const { store, visit } = visits;
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('hello');
    await until(chat, isDone());
    await chat.identify('jwt');
    expect(store.inits.at(-1)).toMatchObject({ identity: 'jwt', handle: expect.any(String) as string });
    expect(chat.state).toMatchObject({ identified: true, messages: [], conversationId: null });
    chat.send('me');
    await until(chat, isDone());
    expect(store.runs[1]!.visitorId).toBe('person-jwt');
    await chat.identify(null);
    expect(chat.state).toMatchObject({ identified: false, messages: [] });
    expect(store.ended.length).toBe(1);
    chat.send('nobody');
    await until(chat, isDone());
    expect(store.inits.at(-1)).toEqual({ widgetKey: 'wk_1' });
  });

  it('of the same visitor keeps the talk', async () => {
    const { store, visit } = visits;
    store.visitorOf = () => 'v';
    store.script = () => shortAnswer('yes');
    const chat = visit();
    chat.send('hello');
    const { messages } = await until(chat, isDone());
    await chat.identify('jwt');
    expect(chat.state.messages).toBe(messages);
  });

  it('said before the panel opens is asked for then', async () => {
    const { store, visit } = visits;
    const chat = visit();
    await chat.identify(async () => 'jwt');
    expect(store.inits).toEqual([]);
    await chat.open();
    expect(store.inits).toEqual([{ widgetKey: 'wk_1', identity: 'jwt' }]);
  });

  it.each<[string, number, readonly (string | undefined)[]]>([
    ['asked for once more', 1, ['jwt-1', 'jwt-2']],
    ['then gone on without', 2, ['jwt-1', 'jwt-2', undefined]],
  ])('that is refused is %s', async (_what, refusals, identities) => {
    const { store, visit } = visits;
    store.refusals.push(
      ...Array.from({ length: refusals }, () => ({ status: 401, code: 'IDENTITY_INVALID' })),
    );
    const chat = visit();
    let asked = 0;
    await chat.identify(async () => `jwt-${++asked}`);
    await chat.open();
    expect(store.inits.map(({ identity }) => identity)).toEqual(identities);
    expect(chat.state.trouble).toBeNull();
  });

  it('as a text that is refused is gone on without', async () => {
    const { store, visit } = visits;
    store.refusals.push({ status: 401, code: 'IDENTITY_INVALID' });
    const chat = visit();
    await chat.identify('old');
    await chat.open();
    expect(store.inits.map(({ identity }) => identity)).toEqual(['old', undefined]);
  });

  it.each<[string, () => Promise<string>]>([
    ['fails', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('whose function %s is gone on without', async (_how, identity) => {
    const { store, visit } = visits;
    const chat = visit();
    await chat.identify(identity);
    await chat.open();
    expect(store.inits).toEqual([{ widgetKey: 'wk_1' }]);
  });

  it('whose function never answers is gone on without', async () => {
    const { store, browser, visit } = visits;
    const chat = visit();
    await chat.identify(() => new Promise(() => undefined));
    const opened = chat.open();
    browser.clock.advance(0);
    await Promise.resolve();
    browser.clock.advance(10_000);
    await opened;
    expect(store.inits).toEqual([{ widgetKey: 'wk_1' }]);
  });
});
