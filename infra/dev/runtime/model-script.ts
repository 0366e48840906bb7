/** What a scripted model does with one request. Made from the model's name and the messages alone, so equal requests get equal answers. */
export interface ModelScript {
  /** Chunks of the answer in order; endless for `scripted-endless`. */
  readonly tokens: Iterable<string>;
  /** Pause before each token, milliseconds. */
  readonly delayMs: number;
  /** How it goes on after the tokens: `end` closes the answer, `fail` breaks it, `hang` sends nothing more. */
  readonly ending: 'end' | 'fail' | 'hang';
  /** HTTP status of a `fail` that comes before any token. */
  readonly status: number;
  /** Whether token counts are reported. */
  readonly usage: boolean;
  /** Words of all messages. */
  readonly inputTokens: number;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** Names a scripted model answers to; each takes parameters, e.g. `scripted-slow?tokens=40&delay=50`. See README.md. */
export const scriptedModels = [
  'scripted-echo',
  'scripted-facts',
  'scripted-words',
  'scripted-slow',
  'scripted-fail',
  'scripted-hang',
  'scripted-endless',
  'scripted-no-usage',
] as const;

/** What `scripted-fail` says before its first token. */
export const brokenModel = {
  message: 'the scripted model failed as asked',
  type: 'server_error',
  code: 'scripted_failure',
};

const named = new RegExp(`(${scriptedModels.join('|')})(?![\\w-])(?:\\?([\\w=&.-]*))?`);

/**
 * Chooses what to do by the model's name. A message of the user that contains the name of a scripted model is answered as by that model, so a
 * test can ask for a fault through any flow. Names that are not on the list behave like `scripted-echo`.
 */
export function scriptModel(request: {
  model: string;
  messages: readonly ChatMessage[];
  delayMs: number;
}): ModelScript {
  const asked = request.messages.findLast((message) => message.role === 'user')?.content ?? '';
  const [, name = 'scripted-echo', text = ''] = named.exec(asked) ?? named.exec(request.model) ?? [];
  const parameters = new URLSearchParams(text);
  const number = (key: string): number | undefined => {
    const value = Number(parameters.get(key) ?? Number.NaN);
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const broken = name === 'scripted-fail' || name === 'scripted-hang';
  return {
    tokens:
      name === 'scripted-endless'
        ? words(Number.POSITIVE_INFINITY)
        : name === 'scripted-words'
          ? words(number('tokens') ?? 40)
          : answer(
              name === 'scripted-facts' ? facts(asked) : sentenceAround(asked),
              broken ? (number('tokens') ?? 0) : number('tokens'),
            ),
    delayMs:
      number('delay') ??
      (name === 'scripted-slow' ? 200 : name === 'scripted-endless' ? 20 : request.delayMs),
    ending: name === 'scripted-fail' ? 'fail' : name === 'scripted-hang' ? 'hang' : 'end',
    status: number('status') ?? 500,
    usage: name !== 'scripted-no-usage',
    inputTokens: request.messages.reduce((sum, message) => sum + count(message.content), 0),
  };
}

const count = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** `w0 `, `w1 ` … */
function* words(length: number): Generator<string> {
  for (let at = 0; at < length; at += 1) yield `w${at} `;
}

const paragraphsOf = (asked: string): string[] => asked.trim().split(/\n\s*\n/);

const sentenceAround = (asked: string): string =>
  `You asked: “${paragraphsOf(asked).at(-1) ?? ''}” I am the scripted model of this store: I answer everyone alike, word by word, and never make anything up.`;

/** What tools found, told again: of each paragraph `The tool NAME says:` the cells of its table's rows. */
const facts = (asked: string): string =>
  [
    ...paragraphsOf(asked).flatMap((paragraph) => {
      const [, tool, table = ''] = /^The tool (\S+) says:\n.*\n([^]+)$/.exec(paragraph) ?? [];
      return tool === undefined ? [] : [`${tool} says: ${table.split('\n').map(cellsOf).join('; ')}.`];
    }),
    sentenceAround(asked),
  ].join(' ');

const cellsOf = (row: string): string =>
  row
    .split(/\s{2,}/)
    .slice(1)
    .join(', ');

/** A text by tokens, cut or repeated to `length` of them when one is given. */
function answer(sentence: string, length: number | undefined): string[] {
  const tokens = sentence.split(/(?<=\s)(?=\S)/);
  if (length === undefined) return tokens;
  return Array.from({ length }, (_, at) =>
    at < tokens.length ? tokens[at]! : ` ${tokens[at % tokens.length]!.trim()}`,
  );
}
