import type { Stage } from './stage.ts';

/** The line of docs/widget.md that puts a widget on a page. */
export const snippetOf = ({ store }: Stage, widgetKey: string): string =>
  `<script async src="${store.stack.publicOrigin}/widget/v1/loader.js" data-widget-key="${widgetKey}"></script>`;
