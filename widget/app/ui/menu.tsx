import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import { useShared } from './shared.ts';

export interface MenuItem {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
}

/** The button with three dots. Arrow keys, Home and End walk, Escape and Tab close. */
export function Menu({ items }: { readonly items: readonly MenuItem[] }): VNode {
  const { words } = useShared();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const entries = (): HTMLElement[] => [...list.current!.querySelectorAll('button')];

  useLayoutEffect(() => {
    if (open) entries()[0]?.focus();
  }, [open]);

  const close = (): void => {
    setOpen(false);
    button.current!.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Tab') return close();
    else {
      const all = entries();
      const at = all.indexOf(event.target as HTMLElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      all[to % all.length]!.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onFocusOut = (event: FocusEvent): void => {
    if (event.relatedTarget !== button.current && !list.current?.contains(event.relatedTarget as Node | null))
      setOpen(false);
  };

  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label={words.menu}
        title={words.menu}
        aria-haspopup="menu"
        aria-expanded={open}
        ref={button}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" look="bold" />
      </button>
      {open && (
        <div
          class="menu"
          role="menu"
          aria-label={words.menu}
          ref={list}
          onKeyDown={onKeyDown}
          onFocusOut={onFocusOut}
        >
          {items.map(({ icon, label, run }) => (
            <button
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                run();
              }}
            >
              <Icon name={icon} />
              {label}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
