import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { clean, cut, isObject } from './json.ts';
import type { MappedEvent } from './mapped-event.ts';

/** Who tells of tool calls: the flow's own frames, and the tool gateway that carries them out. */
export type Witness = 'flow' | 'gateway';

/** A call as a witness tells it, under an id of the witness' own. */
export interface ToldCall {
  readonly id: string;
  readonly toolName: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface ToolAnswer {
  readonly content: string;
  readonly isError: boolean;
}

/**
 * The tool calls of one run as events, each call once, whichever of its witnesses tells it first: an agent's call of a tool of the gateway is told by
 * both, one of a tool that is the flow's own by the flow alone, one of a node with a fixed tool by the gateway alone. Pure.
 */
export interface ToolCalls {
  /** The events of a call that begins; none when it was told before, by this witness or by the other. */
  begin(witness: Witness, call: ToldCall): MappedEvent[];
  knows(witness: Witness, id: string): boolean;
  /** The event of its answer. Where both tell one, it is the gateway's. */
  end(witness: Witness, id: string, answer: ToolAnswer): MappedEvent[];
  /** Answers of the flow for which the gateway's was awaited and did not come. */
  close(): MappedEvent[];
  readonly count: number;
}

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly arguments: Arguments;
  isShared: boolean;
  isAnswered: boolean;
  /** The flow's answer to a shared call. */
  held?: ToolAnswer;
}

/** Members of the arguments, each as canonical JSON. */
type Arguments = ReadonlyMap<string, string>;

/** Calls of one witness that wait for the other; of older ones there is none. */
const mostAlone = 100;

export function createToolCalls(limits: {
  /** Longest arguments and longest answer in bytes; what is longer is cut, and marked. */
  readonly maxToolTextBytes: number;
  /** The same of all calls together. */
  readonly maxStreamBytes: number;
}): ToolCalls {
  const known = { flow: new Map<string, Call>(), gateway: new Map<string, Call>() };
  const alone: Record<Witness, Call[]> = { flow: [], gateway: [] };
  let left = limits.maxStreamBytes;
  let count = 0;

  function bounded(text: string): string {
    const kept = cut(clean(text), Math.max(0, Math.min(left, limits.maxToolTextBytes)));
    left -= Buffer.byteLength(kept);
    return kept;
  }

  function told(call: Call, { content, isError }: ToolAnswer): MappedEvent[] {
    call.isAnswered = true;
    const { toolCallId } = call;
    return [{ kind: 'ToolCallResult', payload: { toolCallId, content: bounded(content), isError } }];
  }

  return {
    begin(witness, { id, toolName, arguments: text }) {
      if (known[witness].has(id)) return [];
      const call: Call = {
        toolCallId: clean(id),
        toolName: clean(toolName),
        arguments: argumentsOf(text),
        isShared: false,
        isAnswered: false,
      };
      const others = alone[witness === 'flow' ? 'gateway' : 'flow'];
      const twin = twinOf(others, call, witness);
      known[witness].set(id, twin ?? call);
      if (twin) {
        others.splice(others.indexOf(twin), 1);
        twin.isShared = true;
        return [];
      }
      alone[witness].push(call);
      if (alone[witness].length > mostAlone) alone[witness].shift();
      count += 1;
      const { toolCallId } = call;
      return [
        { kind: 'ToolCallStart', payload: { toolCallId, toolName: call.toolName } },
        { kind: 'ToolCallArgs', payload: { toolCallId, delta: bounded(text) } },
        { kind: 'ToolCallEnd', payload: { toolCallId } },
      ];
    },
    knows: (witness, id) => known[witness].has(id),
    end(witness, id, answer) {
      const call = known[witness].get(id);
      if (!call || call.isAnswered) return [];
      if (witness === 'gateway' || !call.isShared) return told(call, answer);
      call.held ??= answer;
      return [];
    },
    close: () =>
      [...known.flow.values()].flatMap((call) =>
        call.held && !call.isAnswered ? told(call, call.held) : [],
      ),
    get count() {
      return count;
    },
  };
}

/** Which of the other witness' calls is this one: the same tool with the same arguments, rather one that has no answer yet. */
function twinOf(others: readonly Call[], call: Call, witness: Witness): Call | undefined {
  const [same, alike]: [Call[], Call[]] = [[], []];
  for (const other of others) {
    const [flow, gateway] = witness === 'flow' ? [call, other] : [other, call];
    if (flow.toolName !== gateway.toolName || !holds(gateway.arguments, flow.arguments)) continue;
    (flow.arguments.size === gateway.arguments.size ? same : alike).push(other);
  }
  const isOpen = (other: Call): boolean => !other.isAnswered;
  return same.find(isOpen) ?? same[0] ?? alike.find(isOpen);
}

/** The flow tells the arguments as its model gave them; lfx then fills in the defaults of the tool's schema. */
const holds = (all: Arguments, some: Arguments): boolean =>
  [...some].every(([name, value]) => all.get(name) === value);

function argumentsOf(text: string): Arguments {
  try {
    const value = withoutNulls(JSON.parse(text));
    const members: [string, unknown][] = isObject(value) ? Object.entries(value) : [['', value]];
    return new Map(members.map(([name, member]) => [name, canonicalJson(member)]));
  } catch {
    return new Map([['', text]]); // no JSON, or nested deeper than can be followed
  }
}

/** lfx leaves nulls out of what it sends. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === null ? [] : [[name, withoutNulls(member)]],
    ),
  );
}
