import type { Caller } from '@agentstore/kernel/caller';
import type { RunEvent } from './run-event.ts';

/** Of an input or a result of a tool, as much as helps a person; some are tens of thousands of characters long. */
const mostCharacters = 2_000;

/** An event as this caller may see it; whoever is no visitor sees all of it. */
export const eventFor = (caller: Caller, event: RunEvent): RunEvent =>
  caller.kind === 'WIDGET_SESSION' ? eventForVisitor(event, caller.showToolSteps) : event;

/**
 * An event as a visitor of the widget may see it: what the agent says to them and what that rests on. `showToolSteps`: of a tool call, too, what the widget draws of it,
 * which is the tool's name without its connector's, and the beginning of input and result. Anything else, also a kind that comes later, is withheld: its place stays, so that
 * `seq` has no holes.
 */
export function eventForVisitor(event: RunEvent, showToolSteps: boolean): RunEvent {
  switch (event.kind) {
    case 'RunStarted':
    case 'TextMessageStart':
    case 'TextMessageContent':
    case 'TextMessageEnd':
    case 'CitationAdded':
    case 'RunFinished':
    case 'RunFailed':
    case 'RunCancelled':
    case 'RunEventsGap':
      return event;
    case 'ToolCallEnd':
      return showToolSteps ? event : withheld(event);
    case 'ToolCallStart':
      return showToolSteps ? changed(event, 'toolName', withoutConnector) : withheld(event);
    case 'ToolCallArgs':
      return showToolSteps ? changed(event, 'delta', beginning) : withheld(event);
    case 'ToolCallResult':
      return showToolSteps ? changed(event, 'content', beginning) : withheld(event);
    default:
      return withheld(event);
  }
}

const withheld = (event: RunEvent): RunEvent => ({ ...event, kind: 'RunEventWithheld', payload: {} });

function changed(event: RunEvent, field: string, change: (text: string) => string): RunEvent {
  const text = event.payload[field];
  return { ...event, payload: { ...event.payload, [field]: typeof text === 'string' ? change(text) : '' } };
}

/** A connector's slug has no underscore (`toolIdOf`). */
const withoutConnector = (toolId: string): string => toolId.replace(/^[^_]*__/, '');

/** Not cut in the middle of a character. */
const beginning = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters).replace(/\p{Cs}$/u, '')}…` : text;
