import { createRef, render } from 'preact';
import type { Chat } from '../chat/chat-state.ts';
import { words as english } from '../locales/en.ts';
import { inSiteWords } from '../locales/in-site-words.ts';
import { pickWords } from '../locales/pick-words.ts';
import { dress } from '../theme/dress.ts';
import type { MountWidget, Widget } from '../widget-api.ts';
import { createAnnouncer } from './announcer.ts';
import { changesOf } from './changes.ts';
import { createFullScreen } from './full-screen.ts';
import { dressLauncher } from './launcher.ts';
import { troubleText } from './notice-text.ts';
import { Panel, type Shape } from './panel.tsx';
import { SharedContext, type Shared } from './shared.ts';
import { createEvents, emitChange, sayChange } from './tell-changes.ts';

/** How long the first opening waits for the visitor's language before it is English until that came. */
const wordsMilliseconds = 400;

const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Draws `chat` into the shadow root and is the JavaScript API of it. */
export function mountPanel({ root, options, launcher }: Parameters<MountWidget>[0], chat: Chat): Widget {
  const { host } = root;
  const inline = options.mode === 'inline';
  const panel = createRef<HTMLElement>();
  const field = createRef<HTMLTextAreaElement>();
  const app = document.createElement('div');
  app.className = 'app';
  const look = dress(root, options);
  const announcer = createAnnouncer();
  const events = createEvents(host);
  const updateLauncher = launcher ? dressLauncher(launcher) : () => {};
  const fullScreen = createFullScreen(host, () => draw());
  root.append(app);

  let words = english;
  let state = chat.state;
  let isOpen = false;
  let shared: Shared | undefined;
  let returnTo: Element | null = null;
  let frame: number | undefined;
  let ended = false;

  function draw(): void {
    if (ended) return;
    if (frame !== undefined) cancelAnimationFrame(frame);
    frame = undefined;
    const { branding } = state;
    if (shared?.words !== words || shared.branding !== branding)
      shared = { chat, words, branding, name: branding?.brandName ?? words.agent, say: announcer.say };
    const shape: Shape = inline ? 'inline' : fullScreen.wanted ? 'full' : 'floating';
    app.lang = words.locale;
    app.dir = words.dir;
    look.wear(branding);
    updateLauncher({ open: isOpen, unread: state.unread, branding, words });
    render(
      <SharedContext.Provider value={shared}>
        <Panel
          state={state}
          open={isOpen}
          shape={shape}
          hasLauncher={launcher !== null && !options.hideLauncher}
          panel={panel}
          field={field}
          close={close}
          goOut={goOut}
        />
      </SharedContext.Provider>,
      app,
    );
    app.append(announcer.node);
    const all = isOpen && shape === 'full';
    fullScreen.take(panel.current!, all);
    if (launcher) launcher.inert = all; // it is behind the panel
    // the top layer: no transform, overflow or z-index of the page reaches it; older browsers have the highest z-index
    if (!inline && host.isConnected) panel.current!.togglePopover?.(isOpen);
  }

  /** In a task of its own: a page that starts on a slow phone has no long one to spare. */
  const drawLater = (): void => void (frame ??= requestAnimationFrame(draw));
  const unsubscribe = chat.subscribe(() => {
    const before = state;
    state = chat.state;
    for (const change of changesOf(before, state)) {
      // who has not opened it is told of answers only
      if (isOpen || change.kind === 'unread') sayChange(change, words, announcer.say);
      emitChange(change, events.emit);
    }
    drawLater();
  });
  /** The element of the page or of this root that has the focus. */
  const focused = (): Element | null => root.activeElement ?? document.activeElement;
  function goOut(): void {
    const to = returnTo?.isConnected && returnTo !== document.body ? returnTo : launcher;
    if (to instanceof HTMLElement) to.focus();
  }
  function close(): void {
    if (!isOpen || inline) return;
    isOpen = false;
    const hadFocus = panel.current!.contains(root.activeElement);
    draw();
    if (hadFocus) goOut();
    chat.close();
    events.emit('close', {});
  }

  const wanted = [options.language, document.documentElement.lang, ...navigator.languages];
  const inWords = pickWords(wanted.filter((tag) => tag !== undefined)).then((picked) => {
    words = inSiteWords(picked, options.words ?? {});
    drawLater();
  });
  /** By itself it does not take the focus from where the visitor is. */
  async function show(byItself: boolean): Promise<void> {
    if (isOpen) return field.current?.focus();
    const from = focused();
    await Promise.race([inWords, new Promise((resolve) => setTimeout(resolve, wordsMilliseconds))]);
    await nextTask();
    if (isOpen || ended) return;
    isOpen = true;
    returnTo = from;
    draw();
    if (!byItself) field.current?.focus();
    events.emit('open', {});
    if (state.trouble) announcer.say(troubleText(state.trouble, words), 'trouble');
    await nextTask(); // the field is drawn before anything is asked of the store
    await chat.open();
  }

  const open = (): Promise<void> => show(false);

  const keepKeys = (event: Event): void => event.stopPropagation(); // a page's one-letter shortcuts are not for what is written here
  for (const name of ['keydown', 'keyup', 'keypress']) app.addEventListener(name, keepKeys);

  drawLater();
  const ready = inWords.then(() => events.emit('ready', { widgetKey: options.widgetKey }));
  if (options.open || inline) void ready.then(() => show(true));

  return {
    open,
    close,
    toggle: () => (isOpen ? close() : void open()),
    send: async (text) => {
      await open();
      chat.send(text);
    },
    on: events.on,
    identify: (identity) => chat.identify(identity),
    reset: () => chat.reset(),
    shutdown: () => {
      ended = true;
      unsubscribe();
      if (frame !== undefined) cancelAnimationFrame(frame);
      chat.shutdown();
      announcer.stop();
      fullScreen.stop();
      render(null, app);
      look.remove();
      host.remove();
    },
  };
}
