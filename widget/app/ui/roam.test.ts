// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest';
import { roam } from './roam.ts';

let log: HTMLElement;
let leave: ReturnType<typeof vi.fn<() => void>>;
let root: ShadowRoot;

const article = (...inside: string[]): HTMLElement => {
  const node = document.createElement('article');
  for (const name of inside) node.append(document.createElement(name));
  return node;
};
const press = (key: string): void =>
  void root.activeElement!.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
  );
const focusedAt = (): number => [...log.children].indexOf(root.activeElement!);
const stops = (): Element[] => [...log.querySelectorAll('[tabindex="0"]')];

beforeEach(() => {
  const host = document.createElement('div');
  document.body.replaceChildren(host);
  root = host.attachShadow({ mode: 'open' });
  log = document.createElement('div');
  log.append(article('button'), article('button', 'input'), article());
  root.append(log);
  leave = vi.fn<() => void>();
  roam(log, leave);
});

it('is one tab stop: the newest message, until another has the focus', () => {
  expect(stops()).toEqual([log.children[2]]);
  (log.children[0] as HTMLElement).focus();
  expect(stops()).toEqual([log.children[0]]);
});

it.each([
  ['ArrowUp', 1],
  ['ArrowDown', 2],
  ['Home', 0],
  ['End', 2],
])('%s from the newest of three goes to message %i', (key, at) => {
  (log.children[2] as HTMLElement).focus();
  press(key);
  expect(focusedAt()).toBe(at);
});

it('goes into a message by Enter, out of it by Escape, and then to the input', () => {
  const message = log.children[1] as HTMLElement;
  message.focus();
  press('Enter');
  expect(root.activeElement).toBe(message.firstChild);
  expect(stops()).toEqual([message, ...message.children]);
  press('Escape');
  expect(root.activeElement).toBe(message);
  expect(stops()).toEqual([message]);
  expect(leave).not.toHaveBeenCalled();
  press('Escape');
  expect(leave).toHaveBeenCalledOnce();
});

it('leaves the keys of what is in a message alone', () => {
  (log.children[1]!.lastChild as HTMLElement).focus();
  press('ArrowUp');
  expect(root.activeElement).toBe(log.children[1]!.lastChild);
});

it('takes new messages, and what grows in them, out of the tab order', async () => {
  const added = article('button');
  log.append(added);
  await expect.poll(() => stops()).toEqual([added]);
  const link = document.createElement('a');
  link.href = 'https://a.example';
  added.append(link);
  await expect.poll(() => link.tabIndex).toBe(-1);
});
