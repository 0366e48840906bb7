/** @jsxImportSource react */
import { type ReactElement, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { createWidget, type Widget, type WidgetEvents, type WidgetOptions } from '../elements/index.ts';

const events = [
  'ready',
  'open',
  'close',
  'message',
  'answer',
  'unread',
  'rating',
  'error',
] as const satisfies readonly (keyof WidgetEvents)[];

/** Options of the widget; with `mode="inline"` the chat fills the element that is drawn here. */
export interface AgentChatProps extends WidgetOptions {
  /** Origin of the store. */
  readonly store: string;
  /** The widget, while there is one. */
  readonly ref?: Ref<Widget | null>;
  readonly onEvent?: <Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]) => void;
}

/** A widget that is on the page as long as the component is. Another key, store, mode or language, or other words, are another widget; a new identity is told to the one there is. */
export function AgentChat({ ref, onEvent, ...options }: AgentChatProps): ReactElement | null {
  const { widgetKey, store, mode, language, colorScheme, hideLauncher, identity } = options;
  const words = JSON.stringify(options.words);
  const [widget, setWidget] = useState<Widget | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef({ options, onEvent });
  const told = useRef(identity);
  useEffect(() => {
    latest.current = { options, onEvent };
  });
  useEffect(() => {
    const made = createWidget({
      ...latest.current.options,
      ...(place.current && { element: place.current }),
    });
    told.current = latest.current.options.identity;
    const tell = <Name extends keyof WidgetEvents>(name: Name): void => {
      made.on(name, (detail) => latest.current.onEvent?.(name, detail));
    };
    for (const name of events) tell(name);
    setWidget(made);
    return () => {
      made.shutdown();
      setWidget(null);
    };
  }, [widgetKey, store, mode, language, colorScheme, hideLauncher, words]);
  useEffect(() => {
    if (!widget || told.current === identity) return;
    told.current = identity;
    void widget.identify(identity ?? null);
  }, [widget, identity]);
  useImperativeHandle<Widget | null, Widget | null>(ref, () => widget, [widget]);
  return mode === 'inline' ? <div ref={place} /> : null;
}
