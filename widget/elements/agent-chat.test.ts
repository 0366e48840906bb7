// @vitest-environment happy-dom
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { MountWidget, Widget } from '../app/widget-api.ts';
import { type AgentChatElement, defineAgentChat } from './agent-chat.ts';

let calls: string[];
let places: Parameters<MountWidget>[0][];
const mount: MountWidget = (place) => {
  places.push(place);
  place.root.append(document.createElement('section'));
  const call = (name: string) => (): Promise<void> => {
    calls.push(`${name} ${place.options.widgetKey}`);
    return Promise.resolve();
  };
  return Object.fromEntries(
    ['open', 'close', 'toggle', 'send', 'identify', 'reset', 'shutdown', 'on'].map((name) => [
      name,
      call(name),
    ]),
  ) as unknown as Widget;
};
/** In the document before the element is defined. */
const early = document.createElement('agent-chat');

beforeAll(() => {
  early.setAttribute('widget-key', 'wk_early');
  Object.assign(early, { identity: 'jwt', words: { send: 'Go' } });
  document.body.append(early);
  places = [];
  calls = [];
  defineAgentChat(() => Promise.resolve({ mount }));
  defineAgentChat(() => Promise.reject(new Error('it is defined already')));
});
beforeEach(() => {
  calls = [];
});
afterEach(() => document.body.replaceChildren());

function put(attributes: Readonly<Record<string, string>>): AgentChatElement {
  const element = document.createElement('agent-chat') as AgentChatElement;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  document.body.append(element);
  return element;
}

it('opens inside an element that was there before, with what it was given', async () => {
  await expect.poll(() => places).toHaveLength(1);
  expect(places[0]!.options).toEqual({
    widgetKey: 'wk_early',
    identity: 'jwt',
    words: { send: 'Go' },
    mode: 'inline',
    open: true,
  });
  expect(places[0]!.root).toBe(early.shadowRoot);
});

it('takes its options from its attributes', async () => {
  places = [];
  put({ 'widget-key': 'wk_1', store: 'https://store.example', language: 'de', 'color-scheme': 'dark' });
  await expect.poll(() => places).toHaveLength(1);
  expect(places[0]!.options).toEqual({
    widgetKey: 'wk_1',
    store: 'https://store.example',
    language: 'de',
    colorScheme: 'dark',
    mode: 'inline',
    open: true,
  });
});

it('is another chat when attributes change, once for all of them', async () => {
  places = [];
  const element = put({ 'widget-key': 'wk_1' });
  await expect.poll(() => places).toHaveLength(1);
  element.setAttribute('widget-key', 'wk_2');
  element.setAttribute('language', 'fr');
  await expect.poll(() => places).toHaveLength(2);
  expect(places[1]!.options).toMatchObject({ widgetKey: 'wk_2', language: 'fr' });
  expect(calls).toContain('shutdown wk_1');
  expect(element.shadowRoot!.childElementCount).toBe(1);
});

it('is another chat with other words, and the same one with equal ones', async () => {
  places = [];
  const element = put({ 'widget-key': 'wk_1' });
  await expect.poll(() => places).toHaveLength(1);
  element.words = { send: 'Go' };
  element.setAttribute('language', 'fr');
  await expect.poll(() => places).toHaveLength(2);
  expect(places[1]!.options).toMatchObject({ words: { send: 'Go' }, language: 'fr' });
  const { widget } = element;
  element.words = { send: 'Go' };
  await Promise.resolve();
  expect(element.widget).toBe(widget);
  element.words = null;
  await expect.poll(() => places).toHaveLength(3);
  expect(places[2]!.options).not.toHaveProperty('words');
});

it('goes on when it is moved, and ends when it is removed', async () => {
  places = [];
  const element = put({ 'widget-key': 'wk_1' });
  await expect.poll(() => places).toHaveLength(1);
  const { widget } = element;
  document.body.append(document.createElement('main'));
  document.body.lastElementChild!.append(element);
  await Promise.resolve();
  expect(element.widget).toBe(widget);
  element.remove();
  await expect.poll(() => calls).toContain('shutdown wk_1');
  expect(element.widget).toBeNull();
});

it('waits for a key, and tells a later identity to the chat', async () => {
  places = [];
  const element = put({});
  expect(element.widget).toBeNull();
  element.setAttribute('widget-key', 'wk_1');
  await expect.poll(() => places).toHaveLength(1);
  element.identity = 'jwt';
  await expect.poll(() => calls).toContain('identify wk_1');
});
