/**
 * Credits are integers in micro-credits (µcr, 1e-6 credit). In TypeScript they are `bigint`, on every wire a decimal string:
 * a float would lose the last micro-credit of a large wallet, a JSON number everything above 2^53.
 */
export type MicroCredits = bigint;

/** One credit in micro-credits. */
export const CREDIT: MicroCredits = 1_000_000n;

/** The largest amount any column or message may hold: PostgreSQL's bigint. */
export const MAX_MICRO_CREDITS: MicroCredits = 9_223_372_036_854_775_807n;

/** Whole credits as micro-credits. */
export const credits = (whole: number | bigint): MicroCredits => BigInt(whole) * CREDIT;

/** Parses the wire form (`"-1500000"`); undefined for anything that is not a bounded decimal integer. */
export function parseMicroCredits(text: string): MicroCredits | undefined {
  if (!/^-?(0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const amount = BigInt(text);
  return amount > MAX_MICRO_CREDITS || amount < -MAX_MICRO_CREDITS ? undefined : amount;
}

/** For people: `1500000n` → `"1.5"`, `1234567890000n` → `"1,234,567.89"`. Never parsed back. */
export function formatCredits(amount: MicroCredits): string {
  const sign = amount < 0n ? '-' : '';
  const absolute = amount < 0n ? -amount : amount;
  const whole = (absolute / CREDIT).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = (absolute % CREDIT).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${whole}${fraction ? `.${fraction}` : ''}`;
}
