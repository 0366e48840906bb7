import fs from 'node:fs';
import path from 'node:path';
import { buildSchema, parse, validate, type GraphQLSchema } from 'graphql';
import { expect, it } from 'vitest';
import { shopSdl } from '../../dev/shop/sdl.ts';

const file = path.join(import.meta.dirname, '../../../../shared/data/saleor/saleor-3.22-federated.graphql');
const there = fs.existsSync(file);

const schemaOf = (sdl: string): GraphQLSchema => buildSchema(sdl, { assumeValidSDL: true });
const faults = (schema: GraphQLSchema, text: string): string[] =>
  validate(schema, parse(text)).map(({ message }) => message);

/** The SDL of a running Saleor 3.22, as it was recorded; undefined where the recording is not. */
export const recordedSdl: string | undefined = there ? fs.readFileSync(file, 'utf8') : undefined;

const recorded = recordedSdl === undefined ? undefined : schemaOf(recordedSdl);

/** What is wrong with a document in the recorded schema. */
export const faultsInRecorded = (text: string): string[] => faults(recorded!, text);

/** Holds documents that we send to a Saleor against the recorded schema, the dev shop's, and the words that Saleor's parser knows. */
export function testDocuments(exported: Readonly<Record<string, string>>): void {
  if (!there)
    process.stderr.write(
      "SALEOR'S RECORDED SCHEMA IS MISSING (../shared/data/saleor): operations were not held against it\n",
    );
  it('has the recorded schema where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

  const documents = Object.entries(exported).map(([name, text]) => ({ name, text }));
  const shop = schemaOf(shopSdl);
  it.runIf(there).each(documents)('$name is valid in the schema of a running Saleor 3.22', ({ text }) =>
    expect(faultsInRecorded(text)).toEqual([]),
  );
  it.each(documents)('$name is valid in the dev shop', ({ text }) => expect(faults(shop, text)).toEqual([]));
  it.each(documents)('$name has no word that its parser refuses', ({ text }) =>
    expect(text).not.toMatch(/\bnull\b|"""/),
  );
}
