// @vitest-environment happy-dom
import { act, createElement, createRef, StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Widget } from '../app/widget-api.ts';
import type { PackageOptions } from '../elements/index.ts';
import { AgentChat, type AgentChatProps } from './agent-chat.tsx';

const { made, createWidget } = vi.hoisted(() => {
  const made: {
    options: PackageOptions;
    calls: string[];
    listeners: Map<string, (detail: unknown) => void>;
  }[] = [];
  return {
    made,
    createWidget: (options: PackageOptions): Widget => {
      const one: (typeof made)[number] = { options, calls: [], listeners: new Map() };
      made.push(one);
      const call =
        (name: string) =>
        (...args: unknown[]): Promise<void> => {
          one.calls.push([name, ...args].join(' '));
          return Promise.resolve();
        };
      return {
        open: call('open'),
        close: call('close'),
        toggle: call('toggle'),
        send: call('send'),
        identify: call('identify'),
        reset: call('reset'),
        shutdown: call('shutdown'),
        on(name, listener) {
          one.listeners.set(name, listener as (detail: unknown) => void);
          return () => undefined;
        },
      };
    },
  };
});
vi.mock('../elements/index.ts', () => ({ createWidget }));

let root: Root;
const props: AgentChatProps = { widgetKey: 'wk_1', store: 'https://store.example' };
const render = (more: Partial<AgentChatProps> = {}): Promise<void> =>
  act(async () =>
    root.render(createElement(StrictMode, null, createElement(AgentChat, { ...props, ...more }))),
  );
const alive = (): typeof made => made.filter(({ calls }) => !calls.includes('shutdown'));

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  made.length = 0;
  root = createRoot(document.body.appendChild(document.createElement('div')));
});
afterEach(async () => {
  await act(async () => root.unmount());
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

it('has one widget on the page, in strict mode too, and none after it', async () => {
  await render();
  expect(alive()).toHaveLength(1);
  await render();
  expect(alive()).toHaveLength(1);
  await render({ widgetKey: 'wk_2' });
  expect(alive().map(({ options }) => options.widgetKey)).toEqual(['wk_2']);
  await act(async () => root.render(null));
  expect(alive()).toHaveLength(0);
});

it('gives the widget to its ref, and events to the newest listener', async () => {
  const ref = createRef<Widget>();
  const [first, second] = [vi.fn(), vi.fn()];
  await render({ ref, onEvent: first });
  await render({ ref, onEvent: second });
  await ref.current!.send('hello');
  alive()[0]!.listeners.get('unread')!({ count: 1 });
  expect(alive()[0]!.calls).toEqual(['send hello']);
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledWith('unread', { count: 1 });
});

it('tells a new identity to the widget there is', async () => {
  await render({ identity: 'a' });
  expect(alive()[0]!.options.identity).toBe('a');
  await render({ identity: 'b' });
  await render();
  expect(alive()).toHaveLength(1);
  expect(alive()[0]!.calls).toEqual(['identify b', 'identify ']);
});

it('is another widget with other words, and the same one with equal ones', async () => {
  await render({ words: { send: 'Go' } });
  const [first] = alive();
  await render({ words: { send: 'Go' } });
  expect(alive()).toEqual([first]);
  await render({ words: { send: 'Off' } });
  expect(alive().map(({ options }) => options.words)).toEqual([{ send: 'Off' }]);
  expect(first!.calls).toContain('shutdown');
});

it('draws inside its own element where it is inline', async () => {
  await render({ mode: 'inline' });
  expect(alive()[0]!.options.element?.isConnected).toBe(true);
});
