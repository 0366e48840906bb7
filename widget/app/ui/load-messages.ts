import { useEffect, useState } from 'preact/hooks';
import type * as messages from './messages.tsx';

type Views = typeof messages;

let views: Views | undefined;
let loading: Promise<void> | undefined;

/** Loads what draws messages, ahead of the first one. What failed is tried again by the next call. */
export function loadMessages(): Promise<void> {
  loading ??= import('./messages.tsx').then(
    (loaded) => void (views = loaded),
    () => void (loading = undefined),
  );
  return loading;
}

/** What draws messages, once it is there. Asks for it as soon as there are any. */
export function useMessageViews(needed: boolean): Views | undefined {
  const [, setViews] = useState(views);
  useEffect(() => {
    if (needed && !views) void loadMessages().then(() => setViews(views));
  });
  return views;
}
