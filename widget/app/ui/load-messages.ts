import { useEffect, useReducer } from 'preact/hooks';

type Views = typeof import('./messages.tsx');

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
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    if (needed && !views) void loadMessages().then(() => redraw());
  });
  return views;
}
