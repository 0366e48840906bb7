import fs from 'node:fs';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { shopSdl } from '../../dev/shop/sdl.ts';
import { closedMutations } from '@agentstore/router/policy/closed-mutations';
import { closedOperations } from './closed.ts';
import * as operations from './operations.ts';

const recorded = path.join(
  import.meta.dirname,
  '../../../../shared/data/saleor/saleor-3.22-federated.graphql',
);
const there = fs.existsSync(recorded);
if (!there)
  process.stderr.write(
    "SALEOR'S RECORDED SCHEMA IS MISSING (../shared/data/saleor): the doctor's operations were not held against it\n",
  );
it('has the recorded schema where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

const documents = Object.entries(operations).map(([name, text]) => ({ name, text }));
const faults = (sdl: string, text: string): string[] =>
  validate(buildSchema(sdl, { assumeValidSDL: true }), parse(text)).map(({ message }) => message);

it.runIf(there).each(documents)('$name is valid in the schema of a running Saleor 3.22', ({ text }) =>
  expect(faults(fs.readFileSync(recorded, 'utf8'), text)).toEqual([]),
);
it.each(documents)('$name is valid in the dev shop', ({ text }) => expect(faults(shopSdl, text)).toEqual([]));

it.each(documents)('$name has no word that its parser refuses', ({ text }) =>
  expect(text).not.toMatch(/\bnull\b|"""/),
);

it.runIf(there)('asks for every closed mutation of a running Saleor 3.22, validly', () => {
  const sdl = fs.readFileSync(recorded, 'utf8');
  const closed = closedOperations(sdl);
  expect(closed.map(({ name }) => name).sort()).toEqual(Object.keys(closedMutations).sort());
  expect(closed.flatMap(({ query }) => faults(sdl, query))).toEqual([]);
});
