import type { Question } from '../chat/chat-state.ts';
import { bytesText, splitAttachments } from './attachments.ts';
import { Icon } from './icon.tsx';
import { memo } from './memo.ts';
import { useShared } from './shared.ts';

/** What the visitor said: their own words as they wrote them, and how far they got. */
export const QuestionView = memo(
  ({ question, cutOff }: { readonly question: Question; readonly cutOff: boolean }) => {
    const { chat, words } = useShared();
    const { text, files } = splitAttachments(question.text);
    const failure = question.state === 'failed' ? (question.failure ?? 'rejected') : null;
    return (
      <article class="message visitor" part="visitor-message" aria-label={`${words.youSaid} ${text}`}>
        {text && (
          <div class="bubble" dir="auto">
            {text}
          </div>
        )}
        {files.map((file) => (
          <div class="file">
            <Icon name="file" />
            <b dir="auto">{file.name}</b>
            <span>{bytesText(new TextEncoder().encode(file.text).length, words.locale)}</span>
          </div>
        ))}
        {question.state === 'queued' && cutOff && (
          <p class="note">
            <Icon name="clock" />
            {words.queued}
          </p>
        )}
        {failure && (
          <p class="note bad">
            <Icon name="alert" />
            <span>
              {words.failures[failure]}
              {failure !== 'too-long' && (
                <button type="button" class="link" onClick={() => chat.retry(question.key)}>
                  {words.retry}
                </button>
              )}
            </span>
          </p>
        )}
      </article>
    );
  },
);
