/** One frame of an event stream. */
export interface Frame {
  readonly id: number;
  /** Field names in the order they were written. */
  readonly order: string;
  readonly json: {
    readonly event?: string;
    readonly type?: string;
    readonly data?: Record<string, unknown>;
  } & Record<string, unknown>;
}

/** Frames of a whole event stream; comments are left out. */
export function parseFrames(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((block) => block.includes('data:'))
    .map((block) => {
      const fields = block
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
      return {
        id: Number(fields.find(([name]) => name === 'id')?.[1]),
        order: fields.map(([name]) => name).join(),
        json: JSON.parse(fields.find(([name]) => name === 'data')![1]) as Frame['json'],
      };
    });
}

/** Reads frames as they come; ends when the stream does or `signal` aborts the request. */
export async function* readFrames(response: Response): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body!) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) yield* parseFrames(`${block}\n\n`);
  }
}

/** What an event stream said, in short. */
export function summary(frames: readonly Frame[]): {
  events: string[];
  tokens: string;
  text: string;
  usage: unknown;
  error: string | undefined;
} {
  const machine = frames.filter(
    (frame) => frame.json.event === 'add_message' && frame.json.data?.['sender'] !== 'User',
  );
  const last = machine.at(-1)?.json.data;
  return {
    events: frames
      .map((frame) => frame.json.event ?? frame.json.type ?? '')
      .filter((name, at, all) => name !== 'token' || all[at - 1] !== 'token'),
    tokens: frames
      .flatMap((frame) => (frame.json.event === 'token' ? [String(frame.json.data?.['chunk'])] : []))
      .join(''),
    text: (last?.['text'] as string | undefined) ?? '',
    usage: (last?.['properties'] as { usage?: unknown } | undefined)?.usage ?? null,
    error: frames.flatMap((frame) =>
      frame.json.event === 'error' &&
      frame.json.data?.['error'] !== undefined &&
      typeof frame.json.data['error'] === 'string'
        ? [frame.json.data['error']]
        : [],
    )[0],
  };
}
