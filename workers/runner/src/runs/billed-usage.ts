import type { RunUsage } from '../langflow/usage.ts';
import type { BilledUsage } from './claimed-run.ts';
import type { Ending } from './runs-client.ts';

/**
 * What the organization pays for. A run that succeeded, or that the client or their credits ended after the flow had begun, pays for itself:
 * the run, its seconds, tools and tokens. A run that failed pays for the tokens that a model reported, because they were bought, and for
 * nothing else.
 */
export function billedUsage(
  { state, error }: Pick<Ending, 'state' | 'error'>,
  begun: boolean,
  usage: RunUsage,
): BilledUsage[] {
  const total = (count: 'inputTokens' | 'outputTokens'): number =>
    usage.models.reduce((sum, model) => sum + (model[count] ?? 0), 0);
  const unpaid = error?.code === 'MAX_CHARGE_REACHED' || error?.code === 'CREDITS_EXHAUSTED';
  const delivered = begun && (state !== 'FAILED' || unpaid);
  return [
    { dimension: 'run', quantity: delivered ? 1 : 0 },
    { dimension: 'input_token', quantity: total('inputTokens') },
    { dimension: 'output_token', quantity: total('outputTokens') },
    { dimension: 'tool_call', quantity: delivered ? usage.toolCalls : 0 },
    { dimension: 'second', quantity: delivered ? Math.ceil(usage.durationMs / 1_000) : 0 },
  ]
    .filter(({ quantity }) => quantity > 0)
    .map(({ dimension, quantity }) => ({
      dimension,
      quantity: String(Math.min(quantity, Number.MAX_SAFE_INTEGER)),
    }));
}
