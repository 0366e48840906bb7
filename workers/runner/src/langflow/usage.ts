import { clean, countIn, textIn, type JsonObject } from './json.ts';

/** What one model used, as the graph says it; absent is not zero. */
export interface ModelUsage {
  readonly provider: string;
  readonly model: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
}

/** What a run used. REPORTED: every model said it; PARTIAL: some did not, or the run broke off; MISSING: none said anything. */
export interface RunUsage {
  readonly status: 'REPORTED' | 'PARTIAL' | 'MISSING';
  readonly models: readonly ModelUsage[];
  readonly toolCalls: number;
  readonly durationMs: number;
}

/** Counts usage reports once per source, however often the runtime repeats them. */
export interface UsageTally {
  /** A message's usage. `source` is who wrote it: `{ id, display_name, source }`. */
  ofMessage(messageId: string, usage: JsonObject, source: JsonObject): void;
  /** A component's usage; it counts only when no message of that component was counted. */
  ofComponent(componentId: string, usage: JsonObject, displayName: string): void;
  hasMessage(messageId: string): boolean;
  readonly reports: number;
  models(): ModelUsage[];
}

/** Models that are told apart; what more there are is one. */
const mostModels = 50;

interface Report extends ModelUsage {
  readonly componentId: string | undefined;
}

export function createUsageTally(): UsageTally {
  const messages = new Map<string, Report>();
  const components = new Map<string, Report>();

  function counted(): Report[] {
    const ofMessages = [...messages.values()];
    const seen = new Set(ofMessages.map((report) => report.componentId));
    return [...ofMessages, ...[...components.values()].filter((report) => !seen.has(report.componentId))];
  }

  return {
    ofMessage(messageId, usage, source) {
      messages.set(messageId, {
        ...tokens(usage),
        componentId: textIn(source, 'id'),
        provider: nameIn(source, 'display_name') ?? 'unknown',
        model: nameIn(source, 'source') ?? null,
      });
    },
    ofComponent(componentId, usage, displayName) {
      components.set(componentId, { ...tokens(usage), componentId, provider: displayName, model: null });
    },
    hasMessage: (messageId) => messages.has(messageId),
    get reports() {
      return counted().length;
    },
    models() {
      const byModel = new Map<string, ModelUsage>();
      for (const { componentId: _component, ...one } of counted()) {
        const named = JSON.stringify([one.provider, one.model]);
        const isMore = byModel.size >= mostModels && !byModel.has(named);
        const key = isMore ? '' : named;
        const so = byModel.get(key);
        byModel.set(
          key,
          so
            ? {
                ...so,
                inputTokens: sum(so.inputTokens, one.inputTokens),
                outputTokens: sum(so.outputTokens, one.outputTokens),
                totalTokens: sum(so.totalTokens, one.totalTokens),
              }
            : isMore
              ? { ...one, provider: 'others', model: null }
              : one,
        );
      }
      return [...byModel.values()];
    },
  };
}

/** A name of the flow's or of the runtime's, as it may be stored. */
const nameIn = (source: JsonObject, member: string): string | undefined => {
  const name = textIn(source, member);
  return name === undefined ? undefined : clean(name.slice(0, 200));
};

const sum = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a + b, Number.MAX_SAFE_INTEGER);

const tokens = (usage: JsonObject) => ({
  inputTokens: countIn(usage, 'input_tokens'),
  outputTokens: countIn(usage, 'output_tokens'),
  totalTokens: countIn(usage, 'total_tokens'),
});
