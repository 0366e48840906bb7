import type { ExecutionResult } from 'graphql';
import { useSyncExternalStore } from 'react';

/** One answer of a subscription, as it came. */
export interface StreamEvent {
  readonly seq: number | null;
  readonly type: string;
  readonly afterMs: number;
  readonly text: string;
}

/** What the running (or last) subscription has brought. */
export interface StreamState {
  readonly operation: string;
  readonly events: readonly StreamEvent[];
  /** The deltas so far, joined: what a chat window would show. */
  readonly text: string;
}

const kept = 500;
const empty: StreamState = { operation: '', events: [], text: '' };
let state = empty;
let began = 0;
const listeners = new Set<() => void>();

function set(next: StreamState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function beginStream(operation: string): void {
  began = performance.now();
  set({ ...empty, operation });
}

/** Adds an answer; the panel keeps the newest 500. */
export function addToStream({ data, errors }: ExecutionResult): void {
  const [field, value] = Object.entries(data ?? {})[0] ?? ['', null];
  const event = (value ?? {}) as { __typename?: string; seq?: number; delta?: string; state?: string };
  set({
    ...state,
    text: state.text + (event.delta ?? ''),
    events: [
      ...state.events.slice(1 - kept),
      {
        seq: event.seq ?? null,
        type: errors?.length ? 'errors' : (event.__typename ?? event.state ?? field),
        afterMs: performance.now() - began,
        text: errors?.[0]?.message ?? event.delta ?? '',
      },
    ],
  });
}

export const useStream = (): StreamState =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
