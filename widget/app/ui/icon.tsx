import type { VNode } from 'preact';

/** Drawn on 24 × 24. */
const paths = {
  close: 'M6 6l12 12M18 6L6 18',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  back: 'M19 12H5M11 6l-6 6 6 6',
  turn: 'M9 6l6 6-6 6',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7.5 7.5h9v9h-9z',
  clip: 'M20 11.5l-8 8a5 5 0 01-7-7l8.5-8.5a3.3 3.3 0 014.7 4.7L9.8 17a1.7 1.7 0 01-2.4-2.4l7.5-7.4',
  plus: 'M12 5v14M5 12h14',
  clock: 'M12 8v4.5l3 1.5M21 12a9 9 0 11-18 0 9 9 0 0118 0z',
  down: 'M12 5v14M6 13l6 6 6-6',
  save: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  file: 'M14 3H7a2 2 0 00-2 2v14a2 2 0 002 2h10a2 2 0 002-2V8zM14 3v5h5',
  copy: 'M9 9h10a1 1 0 011 1v10a1 1 0 01-1 1H9a1 1 0 01-1-1V10a1 1 0 011-1zM16 9V4a1 1 0 00-1-1H5a1 1 0 00-1 1v10a1 1 0 001 1h3',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  up: 'M7 21V10l4.5-7a2 2 0 012.4 2.5L13 9h5.6a2 2 0 012 2.4l-1.4 7a2 2 0 01-2 1.6H7zM7 10H3.5v11H7',
  thumbDown:
    'M17 3v11l-4.5 7a2 2 0 01-2.4-2.5L11 15H5.4a2 2 0 01-2-2.4l1.4-7a2 2 0 012-1.6H17zM17 14h3.5V3H17',
  alert: 'M12 8v5M12 16.5h.01M21 12a9 9 0 11-18 0 9 9 0 0118 0z',
  spin: 'M12 3a9 9 0 109 9',
} as const;

export type IconName = keyof typeof paths;

export const Icon = ({ name, look = '' }: { readonly name: IconName; readonly look?: string }): VNode => (
  <svg viewBox="0 0 24 24" aria-hidden="true" class={look}>
    <path d={paths[name]} />
  </svg>
);
