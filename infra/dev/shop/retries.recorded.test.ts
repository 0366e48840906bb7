import { expect, it } from 'vitest';
import { judgeAnswer, saleorRetrySchedule } from './deliver-webhooks.task.ts';
import { describeRecorded, recordedJson } from './testing/recorded.ts';

interface Case {
  readonly case: string;
  readonly attempts: readonly {
    readonly receivedAt: string;
    readonly answered: number;
    readonly bodySha256: string;
    readonly signatureSha256: string;
  }[];
}

/** What the shop heard, where it is not what the receiver answered: a 200 that came after Saleor had given up. */
const heard: Readonly<Record<string, (number | null)[]>> = {
  'receiver answers 200 after 25 s': [null, null],
};

/** Recorded, and not replayed here. */
const notReplayed: Readonly<Record<string, string>> = {
  'receiver answers 429':
    'the second request is eventDeliveryRetry by staff; the first is one of "429" in deliveries.test.ts',
  'order paid while no worker runs':
    'the double has no worker apart; it goes on after a restart (restart.test.ts)',
  'worker killed (SIGKILL) while the receiver is still answering':
    'the double loses a delivery when it is told to (lose-delivery.test.ts)',
  'worker killed (SIGKILL) after a first 500, before the retry 10 s later': 'the same',
};

describeRecorded('deliveries are tried again as recorded', () => {
  const { cases } = recordedJson<{ cases: Case[] }>('retries.json');

  it('names every case of the recording that is not replayed, with the reason', () =>
    expect(Object.keys(notReplayed).filter((name) => !cases.some((one) => one.case === name))).toEqual([]));

  it.each(cases.filter((one) => !(one.case in notReplayed)))('$case', ({ case: name, attempts }) => {
    // The double's schedule, fed with the recorded answers: it makes the next attempt exactly where there is one.
    attempts.forEach((attempt, at) => {
      const verdict = judgeAnswer(name in heard ? (heard[name]![at] ?? null) : attempt.answered);
      const wait = verdict === 'retry' ? saleorRetrySchedule[at] : undefined;
      const next = attempts[at + 1];
      if (!next) return;
      const gap = (Date.parse(next.receivedAt) - Date.parse(attempt.receivedAt)) / 1_000;
      // A timeout is waited for before the pause is.
      expect(gap - (name in heard ? 18 : 0)).toBeCloseTo(wait ?? Number.NaN, -0.5);
    });
    const last = attempts.at(-1)!;
    const isOver =
      judgeAnswer(last.answered) !== 'retry' || saleorRetrySchedule[attempts.length - 1] === undefined;
    expect(isOver).toBe(true);
    expect(new Set(attempts.map((one) => `${one.bodySha256} ${one.signatureSha256}`)).size).toBe(1);
  });
});
