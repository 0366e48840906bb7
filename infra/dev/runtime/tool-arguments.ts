import { pythonRepr } from './data-frame.ts';

/** A tool as its server lists it, as far as a call needs it. */
export interface ListedTool {
  readonly name: string;
  readonly inputSchema?: {
    readonly properties?: Readonly<Record<string, PropertySchema>>;
    readonly required?: readonly string[];
  };
}

interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
}

/** What a node has for a parameter; a table is the result of another tool node. */
export interface FieldValue {
  readonly value: unknown;
  readonly isTable: boolean;
}

/**
 * The arguments of a call, as lfx takes them from a node: for each of the tool's parameters the field of the same name, converted to the
 * parameter's type. A blank field gives the parameter's default, or nothing; a blank required text is sent as `''`. Fields that are no parameter
 * are not sent. A value that does not fit is thrown as an error in lfx's words.
 */
export function toolArguments(
  tool: ListedTool,
  field: (name: string) => FieldValue,
): Record<string, unknown> {
  const { properties = {}, required = [] } = tool.inputSchema ?? {};
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) => {
      const type = [schema.type ?? []].flat().find((one) => one !== 'null');
      const { value, isTable } = field(name);
      if (value === undefined || value === null || (value === '' && !required.includes(name))) {
        if (required.includes(name)) return [[name, blank(name, type)]];
        return schema.default === undefined ? [] : [[name, schema.default]];
      }
      const converted = isTable ? undefined : conversions[type ?? '']?.(value);
      if (converted !== undefined) return [[name, converted]];
      throw new Error(
        type === 'string'
          ? invalid(name, 'Input should be a valid string')
          : unconvertible(tool.name, name, type, value),
      );
    }),
  );
}

function blank(name: string, type: string | undefined): unknown {
  if (type === 'string') return '';
  if (type === 'array') return [];
  if (type === 'object') return {};
  throw new Error(invalid(name, 'Field required'));
}

/** By a parameter's type: the converted value, or undefined when it cannot be converted. A parameter without a type takes what it is given. */
const conversions: Readonly<Record<string, (value: unknown) => unknown>> = {
  '': (value) => value,
  string: (value) => (typeof value === 'string' ? value : undefined),
  integer: (value) => numberOf(value, Number.isInteger),
  number: (value) => numberOf(value, Number.isFinite),
  boolean: (value) =>
    typeof value === 'string' ? booleans[value.trim().toLowerCase()] : isA(value, 'boolean'),
  array: (value) => parsed(value, Array.isArray),
  object: (value) => parsed(value, (one) => !Array.isArray(one)),
};

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  false: false,
  0: false,
  no: false,
};

const isA = (value: unknown, type: string): unknown => (typeof value === type ? value : undefined);

function numberOf(value: unknown, fits: (number: number) => boolean): number | undefined {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return value !== '' && fits(number) ? number : undefined;
}

function parsed(value: unknown, fits: (value: object) => boolean): unknown {
  let read = value;
  try {
    if (typeof value === 'string') read = JSON.parse(value);
  } catch {
    return undefined;
  }
  return typeof read === 'object' && read !== null && fits(read) ? read : undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  integer: 'integer (int)',
  number: 'number (float)',
  boolean: 'boolean (bool)',
  array: 'array (list)',
  object: 'object (dict)',
};

const invalid = (name: string, why: string): string =>
  `Invalid input: 1 validation error for InputSchema\n${name}\n  ${why}`;

const unconvertible = (tool: string, name: string, type: string | undefined, value: unknown): string =>
  `Tool '${tool}': Parameter '${name}' expects ${typeNames[type ?? ''] ?? type} but received ${typeof value === 'string' ? 'string: ' : ''}${pythonRepr(value)}; could not convert.`;
