import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credits, formatCredits, MAX_MICRO_CREDITS, parseMicroCredits } from './credits.ts';

describe('credits', () => {
  it.each([
    ['0', 0n],
    ['1500000', 1_500_000n],
    ['-7', -7n],
    [MAX_MICRO_CREDITS.toString(), MAX_MICRO_CREDITS],
  ])('reads the wire form %s', (text, amount) => expect(parseMicroCredits(text)).toBe(amount));

  it.each(['', '1.5', '01', '+1', '1e6', ' 1', '9223372036854775808', '99999999999999999999', '٣'])(
    'refuses %j, which is no bounded decimal integer',
    (text) => expect(parseMicroCredits(text)).toBeUndefined(),
  );

  it('shows amounts to people without losing a micro-credit', () => {
    expect(formatCredits(credits(1_234_567))).toBe('1,234,567');
    expect(formatCredits(1_500_000n)).toBe('1.5');
    expect(formatCredits(-1n)).toBe('-0.000001');
  });

  it('reads back every amount it can write', () => {
    const property = fc.property(
      fc.bigInt(-MAX_MICRO_CREDITS, MAX_MICRO_CREDITS),
      (n) => parseMicroCredits(n.toString()) === n,
    );
    expect(fc.check(property).failed).toBe(false);
  });
});
