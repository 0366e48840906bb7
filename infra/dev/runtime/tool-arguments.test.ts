import { describe, expect, it } from 'vitest';
import { toolArguments } from './tool-arguments.ts';

const tool = {
  name: 'find',
  inputSchema: {
    properties: {
      text: { type: 'string' },
      limit: { type: ['integer', 'null'] },
      rate: { type: 'number' },
      open: { type: 'boolean' },
      tags: { type: 'array' },
      filter: { type: 'object' },
      any: {},
      note: { type: 'string', default: 'none' },
    },
    required: ['text'],
  },
};
const argumentsOf = (fields: Record<string, unknown>, tables: readonly string[] = []): unknown =>
  toolArguments(tool, (name) => ({ value: fields[name], isTable: tables.includes(name) }));

// What each of these gives was seen on lfx 1.13.0.
describe('the arguments of a tool node', () => {
  it('are its fields, converted to the types of the parameters', () => {
    const text = {
      text: 'q',
      limit: '5',
      rate: '1.5',
      open: 'Yes',
      tags: '["a"]',
      filter: '{"a":1}',
      note: 'n',
    };
    const typed = { text: 'q', limit: 5, rate: 1.5, open: true, tags: ['a'], filter: { a: 1 }, note: 'n' };
    expect([argumentsOf(text), argumentsOf({ ...typed, other: 'x' })]).toEqual([typed, typed]);
    expect(argumentsOf({ text: '', any: [1] })).toEqual({ text: '', any: [1], note: 'none' });
  });

  it('are left out where blank, but for a required text and a default', () => {
    expect(argumentsOf({ limit: '', open: null, tags: '' })).toEqual({ text: '', note: 'none' });
  });

  it.each([
    [
      { limit: 'five' },
      "Parameter 'limit' expects integer (int) but received string: 'five'; could not convert.",
    ],
    [{ limit: 1.5 }, "Parameter 'limit' expects integer (int) but received 1.5; could not convert."],
    [{ open: 'maybe' }, "Parameter 'open' expects boolean (bool)"],
    [{ tags: '{}' }, "Parameter 'tags' expects array (list)"],
    [{ filter: '[' }, "Parameter 'filter' expects object (dict)"],
    [
      { text: 5 },
      'Invalid input: 1 validation error for InputSchema\ntext\n  Input should be a valid string',
    ],
  ])('refuse %j', (fields, words) => {
    expect(() => argumentsOf({ text: 'q', ...fields })).toThrow(words);
  });

  it('are no tables', () => {
    expect(() => argumentsOf({ text: [{ a: 1 }] }, ['text'])).toThrow('Input should be a valid string');
    expect(() => argumentsOf({ text: 'q', tags: [{ a: 1 }] }, ['tags'])).toThrow('expects array (list)');
  });
});
