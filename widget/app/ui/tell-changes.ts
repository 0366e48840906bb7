import type { Widget, WidgetEvents } from '../widget-api.ts';
import type { Words } from '../locales/words.ts';
import type { Change } from './changes.ts';
import { plainText } from './plain-text.ts';
import { troubleText } from './notice-text.ts';

type Say = (text: string, about: string) => void;
export type Emit = <Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]) => void;

/** A change in words for a screen reader: what was written is read once, when it is whole. */
export function sayChange(change: Change, words: Words, say: Say): void {
  switch (change.kind) {
    case 'answer-begun':
      return say(words.writing, change.answer.key);
    case 'answer-ended': {
      const { key, state, text, failure } = change.answer;
      const end =
        state === 'stopped'
          ? words.stopped
          : state === 'failed'
            ? words.failures[failure ?? 'answer-failed']
            : '';
      return say(`${plainText(text)} ${end}`.trim(), key);
    }
    case 'question-failed':
      return say(words.failures[change.question.failure ?? 'rejected'], change.question.key);
    case 'asked':
      if (change.cutOff) say(words.queued, change.question.key);
      return;
    case 'connection':
      if (change.to === 'offline' || change.to === 'reconnecting') say(words[change.to], 'connection');
      else if (change.to === 'open' && change.from !== 'idle' && change.from !== 'connecting')
        say(words.connectedAgain, 'connection');
      return;
    case 'trouble':
      return say(troubleText(change.trouble, words), 'trouble');
    case 'unread':
      if (change.count) say(words.unread(change.count), 'unread');
      return;
    case 'rated':
      return;
  }
}

/** A change as an event of the JavaScript API. */
export function emitChange(change: Change, emit: Emit): void {
  switch (change.kind) {
    case 'asked':
      return emit('message', { text: change.question.text, key: change.question.key });
    case 'answer-ended': {
      const { runId, state, text, failure } = change.answer;
      emit('answer', { runId, state: state as 'done' | 'stopped' | 'failed', text });
      if (failure) emit('error', { code: failure });
      return;
    }
    case 'question-failed':
      return emit('error', { code: change.question.failure ?? 'rejected' });
    case 'trouble':
      return emit('error', { code: change.trouble.kind });
    case 'unread':
      return emit('unread', { count: change.count });
    case 'rated':
      return emit('rating', { runId: change.answer.runId, ...change.rating });
    case 'answer-begun':
    case 'connection':
      return;
  }
}

/** Listeners are the page's: what they throw is reported by the browser and stops nothing here. Who listens too late for `ready` hears it at once. */
export function createEvents(host: Element): { readonly emit: Emit; readonly on: Widget['on'] } {
  let isReady: Event | undefined;
  return {
    emit: (name, detail) => {
      const event = new CustomEvent(`agentstore:${name}`, { detail, bubbles: true });
      if (name === 'ready') isReady = event;
      host.dispatchEvent(event);
    },
    on: (name, listener) => {
      const hear = (event: Event): void => listener((event as CustomEvent<never>).detail);
      host.addEventListener(`agentstore:${name}`, hear);
      if (name === 'ready' && isReady) hear(isReady);
      return () => host.removeEventListener(`agentstore:${name}`, hear);
    },
  };
}
