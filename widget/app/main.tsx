import { createChat } from './chat/chat.ts';
import { mountPanel } from './ui/mount-panel.tsx';
import type { MountWidget } from './widget-api.ts';

/** The composition root of the app: what the loader imports. The store is where the app came from, unless the options say another. */
export const mount: MountWidget = (place) => {
  const { widgetKey, store = new URL(import.meta.url).origin, identity } = place.options;
  const chat = createChat({ widgetKey, store });
  if (identity) void chat.identify(identity);
  const widget = mountPanel(place, chat);
  void chat.prepare();
  return widget;
};
