import type { Connection } from '../connection/connection.ts';
import { Refused } from '../connection/refused.ts';
import { NoSession } from '../session/session.ts';
import type { Answer, Message, Question } from './chat-state.ts';
import { refusalOf } from './failure.ts';
import { followRun, type Cell } from './follow-run.ts';
import { readHistory, type HistoryPage } from './history.ts';
import type { Unsent } from './kept.ts';
import { cancelRun, rateRun, startRun } from './operations.ts';
import type { Outbox } from './outbox.ts';
import { beginTranscript, type Transcript } from './transcript.ts';
import type { Failure } from './trouble.ts';
import { askedTurn, isWaiting, mergeTurns, messagesOf, runIdOf, type Turn } from './turn.ts';

/** Events of a run that a history brings along. */
const eventsOfHistory = 500;

/** A question that became a run. */
export interface Accepted {
  readonly conversationId: string;
  readonly runId: string;
  readonly key: string;
  readonly text: string;
}

/** Where a talk takes place. */
export interface TalkRoom {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly instanceId: () => string;
  readonly inputCharacters: () => number;
  readonly changed: (talk: Talk) => void;
  readonly accepted: (talk: Talk, run: Accepted) => void;
  readonly ended: (runId: string) => void;
}

/** One conversation. It goes on in the background when another one is shown, until all was said. */
export interface Talk {
  /** Null until its first question is accepted. */
  readonly id: string | null;
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  /** Loads what was said, follows an answer under way and sends what is unsent. */
  takeUp(): Promise<void>;
  /** Loads what was said meanwhile elsewhere. */
  catchUp(): Promise<void>;
  loadOlder(): Promise<void>;
  send(key: string, text: string): void;
  /** Of an earlier page load. */
  restore(message: Unsent): void;
  /** Of another tab. */
  adopt(run: Accepted): void;
  stop(): void;
  /** Answers the text to ask anew, where the question itself was answered. */
  retry(key: string): string | undefined;
  rate(runId: string, rating: 'UP' | 'DOWN', reason: string | null): Promise<void>;
  leave(): void;
}

export function beginTalk(room: TalkRoom, startId: string | null): Talk {
  const { connection, outbox } = room;
  const ending = new AbortController();
  const { signal } = ending;
  const following = new Map<string, Promise<void>>();
  let id = startId;
  let turns: readonly Turn[] = [];
  let messages: readonly Message[] = [];
  let olderThan: string | null = null;
  let loading: Promise<void> | null = null;
  let isSending = false;
  /** Key of a question whose answer is to be stopped as soon as it has a run. */
  let unwanted: string | null = null;

  const talk: Talk = {
    get id() {
      return id;
    },
    get messages() {
      return messages;
    },
    get hasOlder() {
      return olderThan !== null;
    },
    takeUp,
    catchUp,
    loadOlder,
    send,
    restore: ({ key, text }) => {
      if (!turns.some(({ question }) => question.key === key)) setTurns([...turns, askedTurn(key, text)]);
    },
    adopt,
    stop,
    retry,
    rate,
    leave: () => ending.abort(),
  };

  function setTurns(next: readonly Turn[]): void {
    if (next === turns || signal.aborted) return;
    turns = next;
    messages = messagesOf(turns);
    room.changed(talk);
  }

  const changeTurns = (isIt: (turn: Turn) => boolean, change: (turn: Turn) => Turn) =>
    setTurns(turns.map((turn) => (isIt(turn) ? change(turn) : turn)));

  const changeQuestion = (key: string, change: Partial<Question>) =>
    changeTurns(
      ({ question }) => question.key === key,
      (turn) => ({ ...turn, question: { ...turn.question, ...change } }),
    );

  const transcriptOf = (runId: string) => turns.find((turn) => runIdOf(turn) === runId)?.transcript;

  function setTranscript(transcript: Transcript): void {
    const { runId } = transcript.answer;
    const wasEnded = transcriptOf(runId)?.isEnded;
    changeTurns(
      (turn) => runIdOf(turn) === runId,
      (turn) => ({ ...turn, transcript }),
    );
    if (transcript.isEnded && wasEnded === false) room.ended(runId);
  }

  function changeAnswer(runId: string, change: Partial<Answer>): void {
    const transcript = transcriptOf(runId);
    if (transcript) setTranscript({ ...transcript, answer: { ...transcript.answer, ...change } });
  }

  /** Also what a history cannot tell: the text of an answer that was broken off, and the rest of a long one. */
  function followAll(): void {
    for (const { transcript } of turns) {
      if (!transcript || following.has(transcript.answer.runId)) continue;
      const { runId } = transcript.answer;
      if (!transcript.isEnded) follow(runId, cellOf(runId, transcript));
    }
  }

  /** The transcript as it is drawn. */
  const cellOf = (runId: string, first: Transcript): Cell => ({
    get transcript() {
      return transcriptOf(runId) ?? first;
    },
    set transcript(transcript) {
      setTranscript(transcript);
    },
  });

  function follow(runId: string, cell: Cell): void {
    const done = followRun(connection, cell, signal)
      .catch((error: unknown) => {
        if (!signal.aborted && !(error instanceof NoSession))
          setTranscript({
            ...cell.transcript,
            isEnded: true,
            answer: { ...cell.transcript.answer, state: 'failed', failure: 'answer-failed' },
          });
      })
      .finally(() => following.delete(runId));
    following.set(runId, done);
  }

  /** Reads an answer that ended again from its events, and shows it when it is whole. */
  function reread({ answer, isEnded }: Transcript): void {
    const cell: Cell = { transcript: beginTranscript(answer.runId) };
    if (isEnded && !following.has(answer.runId))
      void followRun(connection, cell, signal).then(
        () =>
          setTranscript({ ...cell.transcript, answer: { ...cell.transcript.answer, rating: answer.rating } }),
        () => undefined,
      );
  }

  function show(page: HistoryPage, side: 'newest' | 'older'): void {
    setTurns(mergeTurns(turns, page.turns, side));
    for (const { transcript } of page.turns)
      if (transcript && (transcript.answer.state !== 'done' || transcript.lastSeq > eventsOfHistory))
        reread(transcript);
    followAll();
  }

  async function load(): Promise<void> {
    if (!id) return;
    const page = await readHistory(connection, { id, after: null }, signal);
    if (page) {
      olderThan = page.olderThan;
      show(page, 'newest');
    } else id = null; // of another visitor, or gone: what is said next begins a new one
    room.changed(talk);
  }

  async function takeUp(): Promise<void> {
    loading ??= load();
    await loading.catch((error: unknown) => {
      loading = null;
      if (!(error instanceof Refused)) throw error;
    });
    followAll();
    void sendAll();
  }

  async function catchUp(): Promise<void> {
    if (!id) return;
    const page = await readHistory(connection, { id, after: null }, signal);
    if (page) show(page, 'newest');
  }

  async function loadOlder(): Promise<void> {
    const after = olderThan;
    if (!id || !after) return;
    olderThan = null; // asked for once
    try {
      const page = await readHistory(connection, { id, after }, signal);
      olderThan = page?.olderThan ?? null;
      if (page) show(page, 'older');
    } catch (error) {
      olderThan = after;
      throw error;
    } finally {
      room.changed(talk);
    }
  }

  function send(key: string, text: string): void {
    let failure: Failure | null = null;
    if (text.length > room.inputCharacters()) failure = 'too-long';
    else if (!outbox.add({ key, text, conversationId: id })) failure = 'too-many-runs';
    setTurns([...turns.filter(({ question }) => question.key !== key), askedTurn(key, text, failure)]);
  }

  /** In order, each when the answer before it has ended. */
  async function sendAll(): Promise<void> {
    if (isSending) return;
    isSending = true;
    try {
      for (;;) {
        await Promise.all(following.values());
        const turn = turns.find(isWaiting);
        if (!turn || signal.aborted) return;
        await start(turn.question);
      }
    } catch {
      // No session: it stays in the outbox.
      changeTurns(isWaiting, (turn) => ({ ...turn, question: { ...turn.question, state: 'queued' } }));
    } finally {
      isSending = false;
    }
  }

  async function start({ key, text }: Question): Promise<void> {
    const fail = (code: string) => {
      outbox.remove(key);
      const isTooLong = code === 'INVALID_INPUT' && text.length > room.inputCharacters();
      changeQuestion(key, { state: 'failed', failure: isTooLong ? 'too-long' : refusalOf(code) });
    };
    const variables = () => {
      changeQuestion(key, { state: 'sending' });
      return {
        input: { instanceId: room.instanceId(), input: text, conversationId: id, idempotencyKey: key },
      };
    };
    try {
      const { runStart } = await connection.request<{
        runStart: {
          run: { id: string; conversation: { id: string } } | null;
          errors: readonly { code: string }[];
        };
      }>(startRun, variables, signal);
      const { run, errors } = runStart;
      if (!run) return fail(String(errors[0]?.code));
      const accepted = { conversationId: run.conversation.id, runId: run.id, key, text };
      join(accepted);
      room.accepted(talk, accepted);
      if (unwanted === key) stop();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fail(error.code);
    }
  }

  /** The question has a run; a history or another tab may have told so before. */
  function join({ conversationId, runId, key, text }: Accepted): void {
    if (!id) {
      id = conversationId;
      outbox.settle(
        turns.map(({ question }) => question.key),
        id,
      );
    }
    outbox.remove(key);
    const transcript = transcriptOf(runId) ?? beginTranscript(runId);
    const question: Question = { ...askedTurn(key, text).question, state: 'sent' };
    const others = turns.filter((turn) => runIdOf(turn) !== runId || turn.question.key === key);
    const joined: Turn = { question, transcript };
    setTurns(
      others.some((turn) => turn.question.key === key)
        ? others.map((turn) => (turn.question.key === key ? joined : turn))
        : mergeTurns(others, [joined], 'newest'),
    );
    followAll();
  }

  function adopt(run: Accepted): void {
    if (transcriptOf(run.runId)) return;
    join(run);
    room.changed(talk);
  }

  function stop(): void {
    const runId = turns.find(({ transcript }) => transcript && !transcript.isEnded)?.transcript?.answer.runId;
    unwanted = runId
      ? null
      : (turns.find(({ question }) => question.state === 'sending')?.question.key ?? null);
    if (!runId) return;
    const state = transcriptOf(runId)!.answer.state;
    if (state === 'stopping') return;
    changeAnswer(runId, { state: 'stopping' });
    connection
      .request(cancelRun, () => ({ input: { runId } }), signal)
      .catch(() => {
        if (transcriptOf(runId)?.isEnded === false) changeAnswer(runId, { state });
      });
  }

  function retry(key: string): string | undefined {
    const failed = turns.find(({ question }) => question.key === key && question.state === 'failed');
    if (failed) send(key, failed.question.text);
    const ended = turns.find(({ transcript }) => transcript?.answer.key === key)?.transcript?.answer;
    return ended?.state === 'failed' || ended?.state === 'stopped'
      ? turns.find((turn) => runIdOf(turn) === key)!.question.text
      : undefined;
  }

  async function rate(runId: string, rating: 'UP' | 'DOWN', reason: string | null): Promise<void> {
    const before = transcriptOf(runId)?.answer.rating;
    if (before === undefined) return;
    changeAnswer(runId, { rating: { rating, reason } });
    try {
      const { runRate } = await connection.request<{ runRate: { errors: readonly { code: string }[] } }>(
        rateRun,
        () => ({ input: { runId, rating, reason } }),
        signal,
      );
      if (runRate.errors[0]) throw new Refused(runRate.errors[0].code);
    } catch {
      changeAnswer(runId, { rating: before });
    }
  }

  return talk;
}
