import { useState } from 'preact/hooks';
import type { Answer } from '../chat/chat-state.ts';
import { AnswerText } from './answer-text.tsx';
import { Avatar } from './avatar.tsx';
import { isUnderWay } from './changes.ts';
import { Feedback } from './feedback.tsx';
import { Icon } from './icon.tsx';
import { memo } from './memo.ts';
import { plainText } from './plain-text.ts';
import { useShared } from './shared.ts';
import { Sources } from './sources.tsx';
import { ToolSteps } from './tool-steps.tsx';

/** What the agent said, with what it did and rests on. */
export const AnswerView = memo(({ answer }: { readonly answer: Answer }) => {
  const { chat, words, branding, name } = useShared();
  const [shown, show] = useState<number | boolean>(false);
  const underWay = isUnderWay(answer);
  const steps = branding?.showToolSteps ? answer.steps : [];
  const said = underWay ? words.writing : plainText(answer.text);

  const body = (
    <>
      {answer.text && (
        <div class="bubble">
          <AnswerText text={answer.text} ended={!underWay} citations={answer.citations} onCitation={show} />
        </div>
      )}
      {underWay && !answer.text && (
        <div class="bubble">
          <span class="sr">{words.writing}</span>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
        </div>
      )}
    </>
  );
  return (
    <article
      class="message agent"
      part="agent-message"
      aria-busy={underWay}
      aria-label={`${words.agentSaid(name)} ${said}`}
    >
      {steps.length > 0 && <ToolSteps steps={steps} underWay={underWay} />}
      {branding?.avatarUrl && (answer.text || underWay) ? (
        <div class="with-avatar">
          <Avatar url={branding.avatarUrl} name={name} />
          <div>{body}</div>
        </div>
      ) : (
        body
      )}
      {answer.state === 'stopping' && <p class="note">{words.stopping}</p>}
      {(answer.state === 'stopped' || answer.state === 'failed') && (
        <p class={answer.state === 'failed' ? 'note bad' : 'note'}>
          <Icon name={answer.state === 'failed' ? 'alert' : 'stop'} />
          <span>
            {answer.state === 'failed' ? words.failures[answer.failure ?? 'answer-failed'] : words.stopped}
            <button type="button" class="link" onClick={() => chat.retry(answer.key)}>
              {words.retry}
            </button>
          </span>
        </p>
      )}
      {answer.citations.length > 0 && (!underWay || shown !== false) && (
        <Sources citations={answer.citations} shown={shown} show={show} />
      )}
      {answer.state === 'done' && <Feedback answer={answer} />}
    </article>
  );
});
