import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ToolStep } from '../chat/chat-state.ts';
import { Icon } from './icon.tsx';
import { useShared } from './shared.ts';

/** `find_order` is `find order` for people. */
const toolName = (name: string): string => name.replace(/[_-]+/g, ' ');

/** What the agent did to answer, folded away. */
export function ToolSteps({
  steps,
  underWay,
}: {
  readonly steps: readonly ToolStep[];
  readonly underWay: boolean;
}): VNode {
  const { words } = useShared();
  const [open, setOpen] = useState(false);
  const running = underWay ? steps.findLast(({ result }) => !result) : undefined;
  return (
    <div class="fold">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={running ? 'spin' : 'turn'} look={running ? 'state spin' : 'turn'} />
        {running ? words.usingTool(toolName(running.name)) : words.toolsUsed(steps.length)}
      </button>
      {open && (
        <ul>
          {steps.map((step) => (
            <Step key={step.id} step={step} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Step({ step }: { readonly step: ToolStep }): VNode {
  const { words } = useShared();
  const { result } = step;
  const [icon, look, state] = !result
    ? (['spin', 'spin', words.toolRunning] as const)
    : result.isError
      ? (['alert', '', words.toolFailed] as const)
      : (['check', '', words.toolDone] as const);
  return (
    <li class={result?.isError ? 'failed' : ''}>
      <details class="step">
        <summary>
          <Icon name={icon} look={`state ${look}`} />
          <b dir="auto">{toolName(step.name)}</b>
          {state}
        </summary>
        <h3>{words.toolInput}</h3>
        {/* its far side is for whoever has no mouse, too */}
        <pre dir="ltr" tabIndex={0}>
          {step.arguments}
        </pre>
        {result && (
          <>
            <h3>{words.toolResult}</h3>
            <pre dir="ltr" tabIndex={0}>
              {result.content}
            </pre>
          </>
        )}
      </details>
    </li>
  );
}
