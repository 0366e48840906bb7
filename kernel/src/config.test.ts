import { expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, defineConfig } from './config.ts';

const config = defineConfig('example', {
  PORT: z.coerce.number().int().default(80).describe('Port to listen on'),
  SECRET: z.string().min(8).describe('Shared secret of the example'),
});

it('reads, coerces and defaults; an empty variable counts as absent', () => {
  expect(config.read({ SECRET: 'long enough', PORT: '' })).toEqual({ PORT: 80, SECRET: 'long enough' });
});

it('names every fault with its description, and never the value', () => {
  const read = () => config.read({ PORT: 'eighty', SECRET: 'short' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/PORT: [\s\S]*SECRET: [\s\S]*Shared secret of the example/);
  expect(read).not.toThrow(/short[^e]*$/);
});
