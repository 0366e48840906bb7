import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createEventLog, type LoggedEvent } from './event-log.ts';

const text = (delta: string, messageId = 'm') => ({
  kind: 'TextMessageContent',
  payload: { messageId, delta },
});

/** A log whose appends the test answers one by one. */
function openLog(flushMs = 5) {
  const appends: { events: readonly LoggedEvent[]; answer: () => void; refuse: () => void }[] = [];
  const log = createEventLog({
    firstSeq: 1,
    flushMs,
    flushBytes: 4_096,
    append: (events) =>
      new Promise((resolve, reject) =>
        appends.push({ events, answer: resolve, refuse: () => reject(new Error()) }),
      ),
  });
  const appended = async (count: number): Promise<void> => {
    while (appends.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { log, appends, appended };
}

describe('the event log', () => {
  it('sends the first event at once, and what comes while it is under way together, text joined', async () => {
    const { log, appends, appended } = openLog();
    log.push({ kind: 'RunStarted', payload: {} });
    expect(appends).toHaveLength(1);
    for (const word of ['a', 'b', 'c']) log.push(text(word));
    log.push(text('d', 'other'));
    expect(appends).toHaveLength(1);
    appends[0]!.answer();
    await appended(2);
    expect(
      appends[1]!.events.map(({ seq, payload }) => [seq, payload['messageId'], payload['delta']]),
    ).toEqual([
      [2, 'm', 'abc'],
      [3, 'other', 'd'],
    ]);
    expect(log.nextSeq).toBe(4);
    log.close();
  });

  it('sends at once after a silence, and once per interval while much comes', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { log, appends } = openLog(200);
    log.push(text('first'));
    appends[0]!.answer();
    await log.flush();
    vi.advanceTimersByTime(200);
    log.push(text('after a silence'));
    expect(appends).toHaveLength(2);
    appends[1]!.answer();
    await log.flush();
    log.push(text('one '));
    log.push(text('and more'));
    vi.advanceTimersByTime(199);
    expect(appends).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(appends).toHaveLength(3);
    expect(appends[2]!.events.map(({ payload }) => payload['delta'])).toEqual(['one and more']);
    log.close();
  });

  it('gives seqs without holes, and flush waits for all of it', async () => {
    const { log, appends } = openLog(1_000);
    const stored: LoggedEvent[] = [];
    let flushed = false;
    for (let i = 0; i < 1_500; i++) log.push({ kind: 'StepStarted', payload: { step: `s${i}` } });
    const done = log.flush().then(() => (flushed = true));
    for (let served = 0; !flushed;) {
      if (served < appends.length) {
        stored.push(...appends[served]!.events);
        appends[served++]!.answer();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1));
    expect(Math.max(...appends.map(({ events }) => events.length))).toBeLessThanOrEqual(500);
  });

  it('flushes what was pushed before, whatever is pushed meanwhile', async () => {
    const { log, appends } = openLog(1_000);
    log.push({ kind: 'ToolCallStart', payload: {} });
    let flushed = false;
    const done = log.flush().then(() => (flushed = true));
    for (let served = 0; served < 5 && !flushed; served++) {
      log.push({ kind: 'StepStarted', payload: { step: `s${served}` } });
      appends[served]!.answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(appends).toHaveLength(1);
    log.close();
  });

  it('ends when its owner may write no more', async () => {
    const { log, appends } = openLog();
    log.push(text('a'));
    log.push(text('b'));
    appends[0]!.refuse();
    await log.flush();
    expect(appends).toHaveLength(1);
  });
});
