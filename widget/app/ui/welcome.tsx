import type { VNode } from 'preact';
import { Avatar } from './avatar.tsx';
import { useShared } from './shared.ts';

/** Before anything was said: who it is, a greeting, and prompts that are sent with one press. */
export function Welcome({ shut }: { readonly shut: boolean }): VNode {
  const { chat, words, branding, name } = useShared();
  const prompts = shut ? [] : (branding?.suggestedPrompts ?? []);
  return (
    <div class="welcome">
      <Avatar url={branding?.avatarUrl ?? branding?.logoUrl ?? null} name={name} />
      <p dir="auto">{branding?.greeting ?? words.greeting}</p>
      {prompts.length > 0 && (
        <div class="prompts" role="group" aria-label={words.suggestions}>
          {prompts.map((prompt) => (
            <button type="button" part="prompt" dir="auto" onClick={() => chat.send(prompt)}>
              {prompt}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
