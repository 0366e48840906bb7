import type { RefObject, VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { withAttachments } from './attachments.ts';
import { isUnderWay } from './changes.ts';
import { Icon } from './icon.tsx';
import { loadMessages } from './load-messages.ts';
import { isShut } from './notice-text.ts';
import { useShared } from './shared.ts';
import type { Attachments } from './use-attachments.ts';

/** From this share of the limit on, what is left is said. */
const nearlyFull = 0.9;

interface Props {
  readonly state: ChatState;
  readonly attachments: Attachments;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** Where the visitor writes. What cannot be pressed now keeps the focus and is `aria-disabled`. */
export function Composer({ state, attachments, field }: Props): VNode {
  const { chat, words, say } = useShared();
  const [draft, setDraft] = useState('');
  const picker = useRef<HTMLInputElement>(null);
  const last = state.messages.at(-1);
  const underWay = last?.role === 'agent' && isUnderWay(last) ? last : null;
  const shut = isShut(state);
  const message = withAttachments(draft, attachments.files);
  const left = state.limits.inputCharacters - message.length;
  const sendable = !shut && message !== '' && left >= 0;

  const send = (): void => {
    if (underWay) return say(words.answerFirst);
    if (!sendable) return;
    chat.send(message);
    setDraft('');
    attachments.clear();
  };
  const stop = (): void => {
    if (underWay?.state === 'stopping') return;
    chat.stop();
    field.current?.focus();
  };
  const onInput = (event: Event): void => {
    setDraft((event.currentTarget as HTMLTextAreaElement).value);
    void loadMessages();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // 229: Safari ends a composition before the Enter that ended it
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent): void => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    void attachments.add([...event.clipboardData.files]);
  };
  const onPick = (): void => {
    const { files } = picker.current!;
    if (files) void attachments.add([...files]);
    picker.current!.value = '';
    field.current?.focus();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    send();
    field.current?.focus();
  };

  return (
    <form class="composer" part="composer" onSubmit={submit}>
      {attachments.problem && (
        <p class="note bad">
          <Icon name="alert" />
          {attachments.problem}
        </p>
      )}
      {attachments.files.length > 0 && (
        <div class="files">
          {attachments.files.map((file) => (
            <div class="file">
              <Icon name="file" />
              <b dir="auto">{file.name}</b>
              <button
                type="button"
                class="small icon-button"
                aria-label={words.removeFile(file.name)}
                onClick={() => {
                  attachments.remove(file);
                  field.current?.focus();
                }}
              >
                <Icon name="close" />
              </button>
            </div>
          ))}
        </div>
      )}
      <div class="box" data-shut={shut ? '' : undefined}>
        <button
          type="button"
          class="icon-button"
          aria-label={words.attach}
          title={words.attach}
          aria-disabled={shut}
          onClick={() => !shut && picker.current?.click()}
        >
          <Icon name="clip" />
        </button>
        <input type="file" hidden multiple tabIndex={-1} ref={picker} onChange={onPick} />
        <div class="grow" data-text={draft}>
          <textarea
            ref={field}
            rows={1}
            dir={draft ? 'auto' : undefined}
            enterkeyhint="send"
            aria-label={words.composer}
            placeholder={words.composer}
            aria-disabled={shut}
            readOnly={shut}
            value={draft}
            onInput={onInput}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
        </div>
        {underWay ? (
          <button
            type="button"
            key="stop"
            class="send icon-button"
            part="send"
            aria-label={words.stop}
            title={words.stop}
            aria-disabled={underWay.state === 'stopping'}
            onClick={stop}
          >
            <Icon name="stop" look="solid" />
          </button>
        ) : (
          <button
            type="submit"
            key="send"
            class="send icon-button"
            part="send"
            aria-label={words.send}
            title={words.send}
            aria-disabled={!sendable}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      <p class="print">
        <span>{words.disclaimer}</span>
        {left < 0 ? (
          <span class="bad" role="status">
            {words.charactersOver(-left)}
          </span>
        ) : (
          message.length > nearlyFull * state.limits.inputCharacters && (
            <span>{words.charactersLeft(left)}</span>
          )
        )}
      </p>
    </form>
  );
}
