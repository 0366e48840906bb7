import fs from 'node:fs';
import path from 'node:path';
import { isEnumType, isInterfaceType, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema } from '../schema.ts';
import { isTerminal } from './run-event.ts';

const page = fs.readFileSync(
  path.join(import.meta.dirname, '../../../../docs/protocol-run-events.md'),
  'utf8',
);
const schema = buildSchema();
const examples = (info: string): string[] =>
  [...page.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].flatMap(([, is, text]) => (is === info ? [text!] : []));

interface Event {
  readonly __typename: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

describe('docs/protocol-run-events.md', () => {
  it('shows operations that the schema accepts', () => {
    const operations = [
      ...examples('graphql'),
      ...examples('json graphql-ws')
        .flatMap((text) => text.trim().split('\n'))
        .flatMap((line) => (JSON.parse(line) as { payload?: { query?: string } }).payload?.query ?? []),
    ];
    expect(operations).toHaveLength(2);
    for (const operation of operations) expect(validate(schema, parse(operation))).toEqual([]);
  });

  it('shows events as the schema has them: known types with all of their fields, in order, ended once', () => {
    const lists = examples('json events').map((text) => JSON.parse(text) as Event[]);
    expect(lists).toHaveLength(4);
    for (const events of lists) {
      for (const { __typename: name, ...fields } of events) {
        const type = schema.getType(name);
        const known = type && 'getFields' in type ? Object.keys(type.getFields()) : [];
        expect([name, ['runId', ...Object.keys(fields)].sort()]).toEqual([name, known.sort()]);
      }
      let last = 0;
      for (const event of events) {
        expect(event['fromSeq'] ?? event.seq).toBe(last + 1);
        last = event.seq;
      }
      expect(events.map(({ __typename: name }) => isTerminal(name))).toEqual(
        events.map((_, i) => i === events.length - 1),
      );
    }
  });

  it('shows server-sent events that are well formed', () => {
    const blocks = [...examples('sse'), ...examples('sse rest')]
      .map((example) => example.trim())
      .join('\n\n')
      .split('\n\n');
    expect(
      blocks
        .filter((block) => !block.startsWith(':'))
        .map((block) => block.split('\n').map((line) => line.split(':')[0])),
    ).toEqual([
      ['id', 'event', 'data'],
      ['event', 'data'],
      ['id', 'event', 'data'],
      ['event', 'data'],
    ]);
    for (const [, data] of blocks.join('\n').matchAll(/^data: (.+)$/gm))
      expect(() => JSON.parse(data!) as unknown).not.toThrow();
  });

  it('names every event type and every failure code', () => {
    const codes = schema.getType('RunErrorCode');
    const events = schema.getType('RunEvent');
    if (!isEnumType(codes) || !isInterfaceType(events)) throw new Error('the schema has changed');
    for (const { name } of codes.getValues()) expect(page).toContain(`| \`${name}\` |`);
    for (const { name } of schema.getPossibleTypes(events)) expect(page).toContain(`\`${name}\``);
  });

  it('tells what to do for every code that a stream can end with, and for no other', () => {
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| [^|]+ \| (?:stop|mend|get|reopen)[^|]* \|$/gm)];
    // What any request may be answered (kernel): nobody asks, a part is away, a fault.
    const codes = new Set(['UNAUTHENTICATED', 'UNAVAILABLE', 'INTERNAL']);
    for (const file of [
      'router/src/subscriptions/subscribe.ts',
      'router/src/subscriptions/stay-authorized.ts',
      'subgraphs/runs/src/events/follow-run.ts',
      'subgraphs/runs/src/events/run-event.graphql.ts',
    ]) {
      const source = fs.readFileSync(path.join(import.meta.dirname, '../../../..', file), 'utf8');
      for (const [, code] of source.matchAll(/(?:code: |coded\(\s*)'([A-Z_]+)'/g)) codes.add(code!);
    }
    expect(rows.map(([, code]) => code!).sort()).toEqual([...codes].sort());
  });
});
