import { setTimeout as sleep } from 'node:timers/promises';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import { UnavailableError } from '@agentstore/kernel/service-client';
import type { IngestRefusal } from '../engine.ts';
import type { ParseLook, RagflowClient, RagflowDocument } from './ragflow-client.ts';

export interface ParseBounds {
  /** The first pause between two looks, which doubles up to the longest, in milliseconds. */
  readonly pollMs: number;
  readonly mostPollMs: number;
  /** After so many milliseconds a parse is stuck. */
  readonly parseMs: number;
}

interface Watching {
  readonly signal: AbortSignal;
  /** 0…1, not in order. */
  readonly onProgress: (progress: number) => void;
}

type Parsed = Outcome<{ readonly chunks: number }, IngestRefusal>;

/** A parse that is stuck is stopped and made once more. Throws the signal's reason. */
const mostParses = 2;

/**
 * Has a document parsed and waits for the end. Ragflow calls nobody back, leaves documents RUNNING whose worker is gone, and takes a FAIL back after a passing
 * error: so there is a deadline of our own, and a failure counts when it is seen twice.
 */
export async function parseDocument(
  client: RagflowClient,
  document: RagflowDocument,
  bounds: ParseBounds,
  watching: Watching,
): Promise<Parsed> {
  for (let parse = 1; parse <= mostParses; parse++) {
    await client.startParse(document, watching.signal);
    const ended = await untilEnd(client, document, bounds, watching);
    if (ended) return ended;
    await client.stopParse(document);
  }
  return refused({
    code: 'ENGINE_STUCK',
    message: `Ragflow did not come to an end with the document in ${Math.ceil(bounds.parseMs / 1_000)} s, twice.`,
  });
}

/** How the parse ended; undefined when it is stuck. */
async function untilEnd(
  client: RagflowClient,
  document: RagflowDocument,
  bounds: ParseBounds,
  { signal, onProgress }: Watching,
): Promise<Parsed | undefined> {
  const deadline = performance.now() + bounds.parseMs;
  let pause = bounds.pollMs;
  let failures = 0;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) return undefined;
    await sleep(Math.min(pause, left), undefined, { signal });
    pause = Math.min(2 * pause, bounds.mostPollMs);
    const look = await client.look(document, signal).catch(ifAway);
    if (look === 'AWAY') continue;
    failures = look && hasFailed(look) ? failures + 1 : 0;
    const ended = endOf(look, failures);
    if (ended) return ended;
    if (look && look.progress >= 0) onProgress(Math.min(1, look.progress));
  }
}

/** A look that fails costs time, not the document: the deadline ends the waiting. */
function ifAway(error: unknown): 'AWAY' {
  if (error instanceof UnavailableError) return 'AWAY';
  throw error;
}

const hasFailed = ({ state, progress }: ParseLook): boolean =>
  state === 'FAIL' || (state !== 'DONE' && progress < 0);

/** What a look means after so many failures in a row; undefined: it goes on. */
export function endOf(look: ParseLook | undefined, failures: number): Parsed | undefined {
  if (!look) return failed('the document is not there any more');
  if (hasFailed(look)) return failures < 2 ? undefined : failed(lastLine(look.words));
  if (look.state === 'CANCEL') return failed('somebody stopped it there');
  if (look.state !== 'DONE') return undefined;
  return look.chunks > 0
    ? done({ chunks: look.chunks })
    : refused({ code: 'NO_TEXT', message: 'Ragflow found no text in the document.' });
}

const failed = (why: string): Parsed =>
  refused({ code: 'ENGINE_FAILED', message: `Ragflow could not read the document: ${why}.` });

/** Its messages are a log; the last line says what ended it. Times and marks are not for people. */
function lastLine(words: string): string {
  const line = words.trim().split('\n').at(-1)!;
  const said = line
    .replace(/^[\d:]+\s*/, '')
    .replace(/^\[ERROR\]\s*/, '')
    .replace(/\.$/, '')
    .slice(0, 200);
  return said || 'it gives no reason';
}
