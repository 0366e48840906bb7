import { expect, it } from 'vitest';
import { microCreditsSchema } from './service-app.ts';

it.each([
  ['0', 0n],
  ['-1500000', -1_500_000n],
  ['9223372036854775807', 9_223_372_036_854_775_807n],
])('takes %s as micro-credits', (text, amount) => expect(microCreditsSchema.parse(text)).toBe(amount));

it.each(['9223372036854775808', '9999999999999999999', '-9223372036854775808', '01', '1.5', '1e3', ''])(
  'refuses %s, which no column holds',
  (text) => expect(microCreditsSchema.safeParse(text).success).toBe(false),
);
