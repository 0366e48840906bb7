/** What becomes of one parse instead of its end. */
export type ParseFault =
  /** It stays RUNNING until it is stopped. */
  | 'STUCK'
  /** FAIL, for good. */
  | 'FAIL'
  /** FAIL for one look, then DONE, as after a passing error of a model. */
  | 'FAIL_THEN_DONE'
  /** RUNNING with progress -1 for one look, then DONE. */
  | 'NEGATIVE_PROGRESS'
  /** DONE, and nothing was found in it. */
  | 'NO_CHUNKS';

/** What becomes of calls instead of their answer. */
export interface CallFault {
  /** Of `METHOD /path`. */
  readonly calls: RegExp;
  /** An envelope at status 200; a status with a page of HTML; a body of so many bytes; no answer until the caller goes away. */
  readonly answer:
    | { readonly code: number; readonly message: string }
    | { readonly status: number }
    | { readonly bytes: number }
    | 'NONE';
}

/** How the double misbehaves; everything left out goes well. */
export interface Faults {
  /** Each is taken by one parse, in the order in which they start. */
  readonly parses?: readonly ParseFault[];
  readonly calls?: readonly CallFault[];
  /** An upload answers success, no document, and a message. */
  readonly partialUpload?: string;
}

/** The answer of a call that goes wrong. */
export function faultyAnswer(answer: CallFault['answer'], gone: AbortSignal): Response | Promise<Response> {
  if (answer === 'NONE')
    return new Promise((resolve) =>
      gone.addEventListener('abort', () => resolve(new Response(null, { status: 408 }))),
    );
  if ('code' in answer) return Response.json(answer);
  if ('bytes' in answer)
    return new Response(`{"code":0,"data":"${'x'.repeat(answer.bytes)}"}`, {
      headers: { 'content-type': 'application/json' },
    });
  return new Response('<html><h1>nginx</h1></html>', {
    status: answer.status,
    headers: { 'content-type': 'text/html' },
  });
}
