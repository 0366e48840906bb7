import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MappedEvent } from './mapped-event.ts';
import { createToolCalls, type Witness } from './tool-calls.ts';

const opened = () => createToolCalls({ maxToolTextBytes: 64, maxStreamBytes: 1_000 });
const search = (id: string, args: object = { q: 'x' }) => ({
  id,
  toolName: 'search',
  arguments: JSON.stringify(args),
});
const ok = (content: string) => ({ content, isError: false });
const kinds = (events: readonly MappedEvent[]) => events.map(({ kind }) => kind);
const idOf = ({ payload }: MappedEvent) => payload['toolCallId'] as string;
const whole = ['ToolCallStart', 'ToolCallArgs', 'ToolCallEnd', 'ToolCallResult'];

describe('a call that flow and gateway tell', () => {
  it.each<[Witness, Witness]>([
    ['flow', 'gateway'],
    ['gateway', 'flow'],
  ])('is that of the one who told it first (%s), with the answer of the gateway', (first, second) => {
    const calls = opened();
    const events = [
      ...calls.begin(first, search('1')),
      ...calls.begin(second, search('2')),
      ...calls.begin(second, search('2')),
      ...calls.end('flow', first === 'flow' ? '1' : '2', ok('as the flow has it')),
      ...calls.end('gateway', first === 'flow' ? '2' : '1', ok('as the gateway has it')),
      ...calls.close(),
    ];
    expect(kinds(events)).toEqual(whole);
    expect(new Set(events.map(idOf))).toEqual(new Set(['1']));
    expect(events[3]!.payload['content']).toBe('as the gateway has it');
    expect(calls.count).toBe(1);
  });

  it("has the flow's answer when the gateway's never comes", () => {
    const calls = opened();
    calls.begin('gateway', search('g'));
    calls.begin('flow', search('f'));
    expect(calls.end('flow', 'f', { content: 'no', isError: true })).toEqual([]);
    expect(calls.close()).toEqual([
      { kind: 'ToolCallResult', payload: { toolCallId: 'g', content: 'no', isError: true } },
    ]);
    expect(calls.close()).toEqual([]);
  });

  it('is known by its arguments whatever their order, their nulls and the defaults that lfx fills in', () => {
    const calls = opened();
    calls.begin('flow', search('f', { q: 'x', at: { b: [1, null], a: null }, limit: null }));
    expect(calls.begin('gateway', search('g', { limit: 10, at: { b: [1, null] }, q: 'x' }))).toEqual([]);
  });

  it.each([
    [{ q: 'y' }, 'search'],
    [{}, 'search'],
    [{ q: 'x' }, 'find'],
  ])('is not another one: %j of %s', (args, toolName) => {
    const calls = opened();
    calls.begin('flow', search('f'));
    expect(kinds(calls.begin('gateway', { ...search('g', args), toolName }))).toEqual(whole.slice(0, 3));
    expect(calls.count).toBe(2);
  });

  it('is rather one that has no answer yet: the one before it was refused, and is tried again', () => {
    const calls = opened();
    calls.begin('flow', search('refused'));
    calls.end('flow', 'refused', { content: 'The tool failed.', isError: true });
    calls.begin('flow', search('again'));
    calls.begin('gateway', search('g'));
    expect(calls.end('gateway', 'g', ok('found')).map(idOf)).toEqual(['again']);
  });

  it.each(['{"q":', '['.repeat(200_000), '"text"', '7'])('may have arguments of any kind: %.20s', (text) => {
    const calls = opened();
    const call = { id: 'f', toolName: 'search', arguments: text };
    expect(calls.begin('flow', call)).toHaveLength(3);
    expect(calls.begin('gateway', { ...call, id: 'g' })).toEqual([]);
  });
});

it('cuts long texts between characters, and those of many calls to what a run may write', () => {
  const calls = opened();
  calls.begin('gateway', search('1'));
  const [result] = calls.end('gateway', '1', ok('漢'.repeat(100)));
  expect(result!.payload['content']).toBe(`${'漢'.repeat(21)}…`);
  let written = 0;
  for (let i = 2; i < 100; i++) {
    calls.begin('gateway', search(String(i)));
    const [one] = calls.end('gateway', String(i), ok(`a\0${'b'.repeat(100)}`));
    written += Buffer.byteLength(one!.payload['content'] as string);
  }
  expect(written).toBeLessThan(1_000 + 98 * '…'.length * 3);
});

/** One real call, told by the witnesses that saw it. */
interface RealCall {
  readonly toolName: string;
  readonly q: number;
  readonly witnesses: readonly Witness[];
}
// Beside calls that both see: refused ones, which only the flow sees, and those of a node with a fixed tool, which only the gateway sees.
const realCall = fc
  .record({ tool: fc.constantFrom('agents', 'nodes'), q: fc.nat(2), isSeenByBoth: fc.boolean() })
  .map(({ tool, q, isSeenByBoth }): RealCall => ({
    toolName: tool,
    q,
    witnesses: isSeenByBoth ? ['flow', 'gateway'] : [tool === 'agents' ? 'flow' : 'gateway'],
  }));

it('tells each real call once and whole, in any interleaving of its witnesses', () => {
  fc.assert(
    fc.property(fc.array(realCall, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (real, choices) => {
      const calls = createToolCalls({ maxToolTextBytes: 64, maxStreamBytes: 1_000_000 });
      const told = real.flatMap(({ toolName, q, witnesses }, index) =>
        witnesses.map((witness) => {
          const call = { id: `${witness}${index}`, toolName, arguments: JSON.stringify({ q }) };
          const begin = (): MappedEvent[] => calls.begin(witness, call);
          const end = (): MappedEvent[] => calls.end(witness, call.id, ok(call.id));
          return [begin, begin, end, begin, end];
        }),
      );
      const events: MappedEvent[] = [];
      while (told.length > 0) {
        const at = choices.next().value! % told.length;
        events.push(...told[at]!.shift()!());
        if (told[at]!.length === 0) told.splice(at, 1);
      }
      events.push(...calls.close());
      const byCall = Map.groupBy(events, idOf);
      expect([...byCall.values()].map(kinds)).toEqual(real.map(() => whole));
      expect(calls.count).toBe(real.length);
    }),
    { numRuns: 500 },
  );
});
