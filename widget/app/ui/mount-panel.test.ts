// @vitest-environment happy-dom
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Failure, Trouble } from '../chat/trouble.ts';
import { words as arabic } from '../locales/ar.ts';
import { words } from '../locales/en.ts';
import type { Widget, WidgetOptions } from '../widget-api.ts';
import { loadMessages } from './load-messages.ts';
import { mountPanel } from './mount-panel.tsx';
import { answer, branding, createFakeChat, question, type FakeChat } from './testing/fake-chat.ts';

let root: ShadowRoot;
let launcher: HTMLButtonElement;
let chat: FakeChat;
let widget: Widget;

/** Until all has run that waits for a frame, an effect or a promise: each of them asks for the next at most three times. */
async function settled(): Promise<void> {
  for (let round = 0; round < 4; round++)
    await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
const one = <E extends HTMLElement>(selector: string): E => root.querySelector<E>(selector)!;
const named = (name: string): HTMLElement => one(`[aria-label="${name}"]`);
const field = (): HTMLTextAreaElement => one('textarea');
const panel = (): HTMLElement => one('.panel');
const become = async (state: Parameters<FakeChat['become']>[0]): Promise<void> => {
  chat.become(state);
  await settled();
};
const write = async (text: string): Promise<void> => {
  field().value = text;
  field().dispatchEvent(new Event('input', { bubbles: true }));
  await settled();
};
const press = async (target: Element, key: string, more: KeyboardEventInit = {}): Promise<void> => {
  target.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true, ...more }),
  );
  await settled();
};
const click = async (target: HTMLElement): Promise<void> => {
  target.click();
  await settled();
};

function mount(options: Partial<WidgetOptions> = {}): void {
  const host = document.createElement('agent-chat');
  document.body.append(host);
  root = host.attachShadow({ mode: 'open' });
  launcher = document.createElement('button');
  root.append(launcher);
  chat = createFakeChat();
  widget = mountPanel({ root, options: { widgetKey: 'wk_1', ...options }, launcher }, chat);
}
beforeAll(loadMessages);
beforeEach(() => {
  document.documentElement.lang = 'en';
  document.body.replaceChildren();
  mount();
});
afterEach(() => widget.shutdown());

it('opens with the focus in the input, and gives it back to the launcher', async () => {
  launcher.focus();
  await widget.open();
  expect(panel().hidden).toBe(false);
  expect(root.activeElement).toBe(field());
  expect(launcher.getAttribute('aria-expanded')).toBe('true');
  expect(chat.calls).toEqual([['open']]);
  await press(field(), 'Escape');
  expect(panel().hidden).toBe(true);
  expect(root.activeElement).toBe(launcher);
  expect(chat.calls.at(-1)).toEqual(['close']);
});

it('is a dialog that is not modal, named by the agent; F6 goes out of it and leaves it open', async () => {
  await widget.open();
  await settled();
  expect(panel().getAttribute('role')).toBe('dialog');
  expect(panel().hasAttribute('aria-modal')).toBe(false);
  expect(one(`#${panel().getAttribute('aria-labelledby')}`).textContent).toBe(branding.brandName);
  await press(field(), 'F6');
  expect(root.activeElement).toBe(launcher);
  expect(panel().hidden).toBe(false);
});

it('is a region without a way to close it inside the page', async () => {
  widget.shutdown();
  mount({ mode: 'inline' });
  await settled();
  expect(panel().getAttribute('role')).toBe('region');
  expect(panel().hidden).toBe(false);
  expect(named(words.close).parentElement).not.toBe(one('nav'));
  await press(field(), 'Escape');
  expect(panel().hidden).toBe(false);
});

it('sends by Enter, and neither by Shift+Enter nor while a word is composed', async () => {
  await widget.open();
  await write('Hello');
  await press(field(), 'Enter', { shiftKey: true });
  await press(field(), 'Enter', { isComposing: true });
  await press(field(), 'Enter', { keyCode: 229 });
  expect(chat.calls).toEqual([['open']]);
  await press(field(), 'Enter');
  expect(chat.calls.at(-1)).toEqual(['send', 'Hello']);
  expect(field().value).toBe('');
});

it('offers to stop while an answer is under way, and keeps the draft', async () => {
  await widget.open();
  await become({ messages: [question('1', 'a'), answer('1', 'b', { state: 'streaming' })] });
  expect(one('.log').getAttribute('aria-busy')).toBe('true');
  await write('more');
  await press(field(), 'Enter');
  expect(field().value).toBe('more');
  await click(named(words.stop));
  expect(chat.calls.at(-1)).toEqual(['stop']);
  await become({ messages: [question('1', 'a'), answer('1', 'b', { state: 'stopping' })] });
  await click(named(words.stop));
  expect(chat.calls.filter(([name]) => name === 'stop')).toHaveLength(1);
});

it('keeps an empty or too long message back, and what keeps it back focusable', async () => {
  await widget.open();
  await settled();
  expect(named(words.send).getAttribute('aria-disabled')).toBe('true');
  expect(named(words.send).hasAttribute('disabled')).toBe(false);
  await write('x'.repeat(1_001));
  expect(one('.print').textContent).toContain('1 character too many');
  await press(field(), 'Enter');
  expect(chat.calls).toEqual([['open']]);
});

it('sends a prompt with one press', async () => {
  await widget.open();
  await settled();
  await click(one('.prompts button'));
  expect(chat.calls.at(-1)).toEqual(['send', branding.suggestedPrompts[0]]);
});

it('puts a text file into the message, and says in words why it does not take one', async () => {
  await widget.open();
  const paste = async (file: File): Promise<void> => {
    const event = new Event('paste', { bubbles: true, cancelable: true });
    Object.assign(event, { clipboardData: { files: [file] } });
    field().dispatchEvent(event);
    await settled();
  };
  await paste(new File(['x'.repeat(2_049)], 'big.txt'));
  expect(one('.composer').textContent).toContain('big.txt is too large: at most 2 kB.');
  await paste(new File([new Uint8Array([0xff])], 'a.png'));
  expect(one('.composer').textContent).toContain('a.png is not a text file.');
  await paste(new File(['a,b'], 'a.csv'));
  await write('Look');
  await press(field(), 'Enter');
  expect(chat.calls.at(-1)).toEqual(['send', 'Look\n\n`a.csv`\n```csv\na,b\n```']);
});

const troubles = Object.keys(words.troubles) as Exclude<Trouble['kind'], 'rate-limited'>[];
it.each(troubles)('says in words: %s', async (kind) => {
  await widget.open();
  await become({ trouble: { kind } });
  expect(one('.notice').textContent).toBe(words.troubles[kind]);
});

it.each(Object.keys(words.failures) as Failure[])(
  'says in words why a message or its answer failed: %s',
  async (failure) => {
    await widget.open();
    await become({
      messages: [
        question('1', 'a', { state: 'failed', failure }),
        answer('2', '', { state: 'failed', failure }),
      ],
    });
    expect([...root.querySelectorAll('.note.bad')].map((note) => note.textContent)).toEqual([
      expect.stringContaining(words.failures[failure]),
      expect.stringContaining(words.failures[failure]),
    ]);
  },
);

it('says in the head that it connects', async () => {
  await widget.open();
  await become({ connection: 'connecting' });
  expect(one('.head p').textContent).toBe(words.connecting);
  expect(one('.notice')).toBeNull();
});

it.each(['reconnecting', 'offline'] as const)('says how the connection is: %s', async (connection) => {
  await widget.open();
  await become({ connection });
  expect(one('.notice').textContent).toBe(words[connection]);
});

it('takes nothing while the agent is paused, and says so to a screen reader', async () => {
  await widget.open();
  await become({ trouble: { kind: 'paused' } });
  expect(one('[role=status]').textContent).toBe(words.troubles.paused);
  expect(field().readOnly).toBe(true);
  expect(root.activeElement).toBe(field());
});

it('tries again what failed', async () => {
  await widget.open();
  await become({ messages: [question('1', 'a', { state: 'failed', failure: 'rejected' })] });
  await click(one('.note .link'));
  expect(chat.calls.at(-1)).toEqual(['retry', '1']);
});

it('rates an answer, and asks of a bad one why', async () => {
  await widget.open();
  await become({ messages: [answer('1', 'a')] });
  await click(named(words.bad));
  expect(chat.calls.at(-1)).toEqual(['rate', 'run-1', 'DOWN', undefined]);
  expect(root.activeElement).toBe(named(words.whyBad));
  (root.activeElement as HTMLInputElement).value = ' wrong town ';
  one('.reason').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  await settled();
  expect(chat.calls.at(-1)).toEqual(['rate', 'run-1', 'DOWN', 'wrong town']);
});

it('shows tool steps folded, and none where the branding says so', async () => {
  const steps = [{ id: '1', name: 'find_order', arguments: '{}', result: { content: 'x', isError: false } }];
  await widget.open();
  await become({ messages: [answer('1', 'a', { steps })] });
  expect(one('.fold').textContent).toBe('Used 1 tool');
  await click(one('.fold button'));
  expect(one('.step summary').textContent).toBe('find orderdone');
  await become({ branding: { ...branding, showToolSteps: false } });
  expect(one('.fold')).toBeNull();
});

it('opens the passage that a number in the text means', async () => {
  const citations = [{ number: 1, documentId: 'd', documentName: 'Handbook', text: 'The passage.', page: 3 }];
  await widget.open();
  await become({ messages: [answer('1', 'So it is [1].', { citations })] });
  await click(one('.cite'));
  expect(one('.sources blockquote').textContent).toBe('The passage.');
  expect(one('.sources li').textContent).toContain('page 3');
});

it('walks the menu by keys, and takes up an earlier conversation', async () => {
  await widget.open();
  await write('a draft');
  await click(named(words.menu));
  await press(root.activeElement!, 'ArrowDown');
  expect(root.activeElement!.textContent).toBe(words.history);
  await press(root.activeElement!, 'Escape');
  expect(root.activeElement).toBe(one('[aria-haspopup=menu]'));
  expect(panel().hidden).toBe(false);
  await click(named(words.menu));
  await press(root.activeElement!, 'End');
  await click(root.activeElement as HTMLElement);
  expect(chat.calls.at(-1)).toEqual(['loadConversations']);
  await become({ conversations: [{ id: 'c1', title: 'Lamps', startedAt: 0 }] });
  await click(one('.past button'));
  expect(chat.calls.at(-1)).toEqual(['openConversation', 'c1']);
  expect(field().value).toBe('a draft');
  expect(root.activeElement).toBe(field());
});

it('shows unread answers on the launcher, in its name too', async () => {
  await become({ unread: 2 });
  expect(launcher.querySelector('.badge')!.textContent).toBe('2');
  expect(launcher.getAttribute('aria-label')).toBe('Open chat, 2 new answers');
  const hidden: boolean[] = [];
  Object.defineProperty(launcher, 'hidden', {
    set(is: boolean) {
      hidden.push(is);
    },
  });
  await become({ unread: 0, branding: { ...branding, launcherText: 'Ask us', position: 'TOP_LEFT' } });
  expect(launcher.querySelector('.badge')).toBeNull();
  expect(launcher.getAttribute('aria-label')).toBe('Ask us');
  expect(launcher.dataset['position']).toBe('TOP_LEFT');
  // For one frame: nothing has moved.
  await expect.poll(() => hidden).toEqual([true, false]);
});

it('takes the launcher out of sight for one frame when it moves, and never from under the focus', async () => {
  const seen: boolean[] = [];
  const hides = vi
    .spyOn(launcher, 'hidden', 'set')
    .mockImplementation((hidden) => void seen.push(hidden as boolean));
  await become({ branding: { ...branding, launcherText: 'Ask us' } });
  expect(seen).toEqual([true, false]);
  launcher.focus();
  await become({ branding: { ...branding, position: 'TOP_LEFT' } });
  expect(seen).toEqual([true, false]);
  hides.mockRestore();
});

it('tells a screen reader of trouble when it is opened, not while the page is read', async () => {
  await become({ trouble: { kind: 'paused' } });
  expect(one('[role=status]').textContent).toBe('');
  await widget.open();
  expect(one('[role=status]').textContent).toBe(words.troubles.paused);
});

it('says that a message waits only while there is no way for it', async () => {
  await widget.open();
  const waiting = question('1', 'Hi', { state: 'queued' });
  await become({ messages: [waiting] });
  expect(panel().textContent).not.toContain(words.queued);
  expect(one('[role=status]').textContent).toBe('');
  await become({ connection: 'reconnecting' });
  expect(panel().textContent).toContain(words.queued);
  await become({ messages: [waiting, question('2', 'There?', { state: 'queued' })] });
  await expect.poll(() => one('[role=status]').textContent).toBe(words.queued);
});

it('tells the page what happens', async () => {
  const heard: [string, unknown][] = [];
  for (const name of ['ready', 'open', 'close', 'message', 'answer', 'unread', 'rating', 'error'] as const)
    widget.on(name, (detail) => heard.push([name, detail]));
  await settled();
  await widget.send('Hi');
  await become({
    messages: [question('1', 'Hi', { state: 'sending' }), answer('1', '', { state: 'waiting' })],
  });
  await become({ messages: [question('1', 'Hi'), answer('1', 'Yo')] });
  await become({
    messages: [question('1', 'Hi'), answer('1', 'Yo', { rating: { rating: 'UP', reason: null } })],
    unread: 1,
    trouble: { kind: 'revoked' },
  });
  widget.close();
  expect(heard).toEqual([
    ['ready', { widgetKey: 'wk_1' }],
    ['open', {}],
    ['message', { text: 'Hi', key: '1' }],
    ['answer', { runId: 'run-1', state: 'done', text: 'Yo' }],
    ['rating', { runId: 'run-1', rating: 'UP', reason: null }],
    ['error', { code: 'revoked' }],
    ['unread', { count: 1 }],
    ['close', {}],
  ]);
  expect(chat.calls).toContainEqual(['send', 'Hi']);
});

it('keeps the keys that are pressed in it from the page', async () => {
  const heard = vi.fn<() => void>();
  document.addEventListener('keydown', heard);
  await widget.open();
  await press(field(), '/');
  document.removeEventListener('keydown', heard);
  expect(heard).not.toHaveBeenCalled();
});

it('speaks the language of the options, right to left where it is read so', async () => {
  widget.shutdown();
  mount({ language: 'ar-EG' });
  await settled();
  await widget.open();
  expect(one('.app').dir).toBe('rtl');
  expect(one('.app').lang).toBe('ar');
  expect(one('.head p').textContent).toBe(arabic.aiAgent);
});

it('says what the site says, as text', async () => {
  widget.shutdown();
  mount({
    language: 'ar',
    words: {
      composer: 'Ask <b>Ada</b>',
      disclaimer: '<img src=x onerror=alert(1)>',
      toolsUsed: 'Helpers: #',
    },
  });
  await settled();
  await widget.open();
  await become({
    messages: [
      answer('1', 'a', {
        steps: [{ id: '1', name: 'x', arguments: '{}', result: { content: 'x', isError: false } }],
      }),
    ],
  });
  expect(field().placeholder).toBe('Ask <b>Ada</b>');
  expect(one('.print').textContent).toBe('<img src=x onerror=alert(1)>');
  expect(one('.fold').textContent).toBe(`Helpers: ${(1).toLocaleString('ar')}`);
  expect(one('.head p').textContent).toBe(arabic.aiAgent);
});

it('takes all of a small screen: modal, and the page inert until it is closed', async () => {
  widget.shutdown();
  const aside = document.createElement('aside');
  document.body.append(aside);
  vi.stubGlobal('matchMedia', (query: string) =>
    Object.assign(new EventTarget(), { matches: query.includes('max-width') }),
  );
  mount();
  await widget.open();
  expect(panel().getAttribute('aria-modal')).toBe('true');
  expect(aside.hasAttribute('inert')).toBe(true);
  expect(launcher.inert).toBe(true);
  expect(root.host.hasAttribute('inert')).toBe(false);
  widget.close();
  expect(aside.hasAttribute('inert')).toBe(false);
  vi.unstubAllGlobals();
});

it('takes no focus when it opens by itself', async () => {
  widget.shutdown();
  mount({ open: true });
  const page = document.createElement('input');
  document.body.append(page);
  page.focus();
  await settled();
  expect(panel().hidden).toBe(false);
  expect(document.activeElement).toBe(page);
});

it('does not come back when it is shut down before its words are there', async () => {
  widget.shutdown();
  mount({ open: true });
  widget.shutdown();
  await settled();
  expect(chat.calls).toEqual([['shutdown']]);
});

it('leaves nothing behind', async () => {
  await widget.open();
  widget.shutdown();
  expect(document.body.children).toHaveLength(0);
  expect(chat.calls.at(-1)).toEqual(['shutdown']);
});
