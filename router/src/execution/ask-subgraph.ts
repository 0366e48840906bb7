import type { ServiceClient } from '@agentstore/kernel/http/client';
import { orAborted } from './or-aborted.ts';

/** What a GraphQL server answers. */
export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

interface Question {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks a GraphQL server one question: JSON over its service client, in process or by undici. Throws when there is no GraphQL answer within the
 * deadline, which holds until the last byte and also where nobody listens to signals (a handler in this process).
 */
export async function askSubgraph(client: ServiceClient, path: string, question: Question): Promise<Answer> {
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(question.deadlineMs)]);
  return orAborted(ask(client, path, { ...question, signal }), signal);
}

async function ask(client: ServiceClient, path: string, question: Question): Promise<Answer> {
  const answer = await client.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...question.headers },
    body: JSON.stringify(question.body),
    signal: question.signal,
  });
  const text = await answer.text();
  if (answer.status >= 500) throw new Error(`${client.name} answered ${answer.status}`);
  const body = JSON.parse(text) as Answer;
  if (body.data === undefined && !body.errors?.length)
    throw new Error(`${client.name} answered ${answer.status} without data or errors`);
  return body;
}
