import { describe, expect, it } from 'vitest';
import { configFault, schemaFault } from './config-schema.ts';

describe('the schema of what a buyer may configure', () => {
  it.each<[string, Record<string, unknown>, RegExp | null]>([
    ['nothing to configure', {}, null],
    [
      'settings within settings',
      {
        type: 'object',
        required: ['voice'],
        properties: {
          voice: {
            type: 'object',
            description: 'How it speaks',
            additionalProperties: false,
            properties: { pitch: { type: 'number', minimum: 0 } },
          },
          topics: { type: 'array', uniqueItems: true, items: { type: 'string', maxLength: 20 } },
        },
      },
      null,
    ],
    ['a type that is none', { properties: { tone: { type: 'colour' } } }, /no JSON Schema/],
    ['a keyword that is none', { properties: { tone: { minLenght: 3 } } }, /unknown keyword/],
    [
      'a reference to somewhere else',
      { properties: { tone: { $ref: 'https://a.test/b' } } },
      /resolve reference/,
    ],
    ['a regular expression', { properties: { tone: { type: 'string', pattern: '(a+)+$' } } }, /pattern/],
    ['something else than an object', { type: 'array' }, /not that of an object/],
    ['an asynchronous one', { $async: true }, /asynchronous/],
    ['one without end', { description: 'x'.repeat(40_000) }, /longer than/],
  ])('%s', (_name, schema, fault) => expect(schemaFault(schema) ?? 'fine').toMatch(fault ?? /^fine$/));
});

describe('a configuration', () => {
  const schema = {
    required: ['tone'],
    properties: {
      tone: { type: 'string', enum: ['friendly', 'formal'] },
      greeting: { type: 'string', maxLength: 5 },
      retries: { type: 'integer', maximum: 3 },
      voice: { type: 'object', properties: { pitch: { type: 'number', minimum: 0 } } },
      topics: { type: 'array', items: { type: 'string' } },
      contact: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    },
  };
  it.each<[Record<string, unknown>, RegExp | null]>([
    [{ tone: 'formal', greeting: 'Hi', retries: 2 }, null],
    [{ contact: null, voice: { pitch: 1 }, topics: ['a'] }, null],
    [{ tone: 'rude' }, /^tone must be equal to one of the allowed values: friendly, formal$/],
    [{ greeting: 'Hello there' }, /greeting must NOT have more than 5 characters/],
    [{ greeting: 5 }, /greeting must be string/],
    [{ retries: 9 }, /retries must be <= 3/],
    [{ retries: 1.5 }, /retries must be integer/],
    [{ voice: { pitch: -1 } }, /voice.pitch must be >= 0/],
    [{ topics: ['a', 1] }, /topics.1 must be string/],
    [{ contact: 1 }, /contact must/],
    [{ apiKey: 'x' }, /apiKey is not a setting/],
    [{ constructor: 'x' }, /constructor is not a setting/],
    [{ greeting: 'x'.repeat(20_000) }, /longer than 16384/],
  ])('%j', (own, fault) => {
    // The version gives the tone, and a model that is nobody's to set.
    const effective = { tone: 'friendly', model: { name: 'small' }, ...own };
    const found = configFault(schema, { own, effective });
    expect(found ?? 'fine').toMatch(fault ?? /^fine$/);
  });

  it('has what the schema requires, from whomever', () => {
    expect(configFault(schema, { own: {}, effective: { tone: 'formal' } })).toBeUndefined();
    expect(configFault(schema, { own: {}, effective: {} })).toMatch(/required property 'tone'/);
  });
});
