import type { RefObject, VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { Composer } from './composer.tsx';
import { Head } from './head.tsx';
import { History } from './history.tsx';
import { Notice } from './notice.tsx';
import { useShared } from './shared.ts';
import { Transcript } from './transcript.tsx';
import { useAttachments } from './use-attachments.ts';

/** Over the page, all of a small screen, or a part of the page. */
export type Shape = 'floating' | 'full' | 'inline';

interface Props {
  readonly state: ChatState;
  readonly open: boolean;
  readonly shape: Shape;
  /** Whether it leaves room for a launcher. */
  readonly hasLauncher: boolean;
  readonly panel: RefObject<HTMLElement | null>;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly close: () => void;
  /** To the page, leaving it open. */
  readonly goOut: () => void;
}

/** The panel. It stays when it is closed, hidden, so that a draft does too. */
export function Panel({ state, open, shape, hasLauncher, panel, field, close, goOut }: Props): VNode {
  const { words, branding } = useShared();
  const [inHistory, setInHistory] = useState(false);
  const [dragging, setDragging] = useState(false);
  const attachments = useAttachments();
  const toField = (): void => field.current?.focus();
  const showChat = (): void => {
    setInHistory(false);
    queueMicrotask(toField);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'F6' && shape === 'floating') goOut();
    else if (event.key !== 'Escape' || event.isComposing) return;
    else if (inHistory) showChat();
    else if (shape === 'inline') return;
    else close();
    event.preventDefault();
  };
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  const onDragOver = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setDragging(true);
  };
  const onDragLeave = (event: DragEvent): void => {
    if (!panel.current!.contains(event.relatedTarget as Node | null)) setDragging(false);
  };
  const onDrop = (event: DragEvent): void => {
    setDragging(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    void attachments.add([...event.dataTransfer!.files]);
    toField();
  };

  return (
    <section
      class="panel"
      part="panel"
      ref={panel}
      hidden={!open}
      popover={shape === 'inline' ? undefined : 'manual'}
      data-shape={shape}
      data-position={shape === 'floating' ? (branding?.position ?? 'BOTTOM_RIGHT') : undefined}
      data-launcher={hasLauncher ? '' : undefined}
      role={shape === 'inline' ? 'region' : 'dialog'}
      aria-modal={shape === 'full' ? true : undefined}
      aria-labelledby="name"
      onKeyDown={onKeyDown}
      onDragOver={onDragOver}
      onDragLeave={onDragLeave}
      onDrop={onDrop}
    >
      <Head
        state={state}
        inHistory={inHistory}
        showHistory={() => setInHistory(true)}
        showChat={showChat}
        close={shape === 'inline' ? null : close}
      />
      {inHistory && <History state={state} leave={showChat} />}
      <div class="talk" hidden={inHistory}>
        <Transcript state={state} leave={toField} />
        <Notice state={state} />
        <Composer state={state} attachments={attachments} field={field} />
      </div>
      {dragging && <div class="drop">{words.dropHere}</div>}
    </section>
  );
}
