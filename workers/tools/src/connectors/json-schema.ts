import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { RE2JS } from 're2js';

/** Bounds on a schema; one beyond them is refused when its definition is loaded. */
const mostSchemaBytes = 65_536;
const mostSchemaDepth = 32;
/** Schemas that may apply to one value of the arguments, counted through `$ref`, `allOf` and their kind. */
const mostApplied = 200;

/** A fault of a value: where, and which rule it breaks; never the value. */
export interface SchemaFault {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

/** The first fault of a value; undefined when it fits. */
export type Validator = (value: unknown) => SchemaFault | undefined;

/** A schema that cannot be used here: too large, not JSON Schema 2020-12, remote, or with a pattern that takes more than linear time. */
export class UnusableSchema extends Error {
  override readonly name = 'UnusableSchema';
}

/** Patterns run in linear time (RE2): a hostile one costs as little as any other. */
const linear = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    return { test: (text: string) => compiled.test(text), toString: () => pattern };
  },
  { code: 'linear' },
);

const ajv = new Ajv2020({
  strict: true,
  // Whether a type stands beside a keyword is style; an unknown keyword or format would be a rule that is not enforced.
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: false,
  // `required: ["constructor"]` is not met by what every object inherits.
  ownProperties: true,
  logger: false,
  code: { regExp: linear },
});
formats.default(ajv);
ajv.addVocabulary(['$anchor', 'example', 'x-mcp-header', 'externalDocs', 'xml']);

const compiled = new WeakMap<object, Validator>();

/** A validator of a JSON Schema 2020-12, compiled once for each object that holds one. Fetches nothing. Throws UnusableSchema. */
export function validatorOf(schema: Readonly<Record<string, unknown>>): Validator {
  let validator = compiled.get(schema);
  if (!validator) {
    validator = compile(schema);
    compiled.set(schema, validator);
  }
  return validator;
}

function compile(schema: Readonly<Record<string, unknown>>): Validator {
  if (!isShallow(schema, mostSchemaDepth) || JSON.stringify(schema).length > mostSchemaBytes)
    throw new UnusableSchema('the schema is too large or too deep');
  boundComposition(schema);
  try {
    const validate = ajv.compile(schema);
    return (value) => (validate(value) ? undefined : faultOf(validate.errors?.[0]));
  } catch (error) {
    throw new UnusableSchema((error as Error).message, { cause: error });
  } finally {
    ajv.removeSchema(schema); // else ajv holds every schema for ever
  }
}

const faultOf = (error: ErrorObject | undefined): SchemaFault => ({
  path: (error?.instancePath ?? '').slice(0, 200),
  rule: error?.keyword ?? 'false schema',
  message: error?.message ?? 'is not allowed',
});

const lists = ['allOf', 'anyOf', 'oneOf'];
const singles = ['not', 'if', 'then', 'else'];

/** Refuses schemas of which very many apply to one and the same value: each level of nesting could double the work. */
function boundComposition(root: Readonly<Record<string, unknown>>): void {
  const known = new Map<unknown, number>();
  visit(root);

  function visit(schema: unknown): void {
    if (schema === null || typeof schema !== 'object') return;
    if (!Array.isArray(schema)) applied(schema, new Set());
    for (const part of Object.values(schema)) visit(part);
  }

  function applied(schema: unknown, above: ReadonlySet<unknown>): number {
    if (schema === null || typeof schema !== 'object') return 1;
    if (above.has(schema)) throw new UnusableSchema('the schema refers to itself without end');
    const before = known.get(schema);
    if (before !== undefined) return before;
    const members = schema as Readonly<Record<string, unknown>>;
    const within = new Set([...above, schema]);
    const { $ref: reference, dependentSchemas } = members;
    const parts = [
      ...lists.flatMap((name) => (Array.isArray(members[name]) ? (members[name] as unknown[]) : [])),
      ...singles.map((name) => members[name]).filter((part) => part !== undefined),
      ...(typeof dependentSchemas === 'object' && dependentSchemas !== null
        ? Object.values(dependentSchemas)
        : []),
      ...(typeof reference === 'string' ? [targetOf(root, reference)] : []),
    ];
    const sum = parts.reduce<number>((total, part) => total + applied(part, within), 1);
    if (sum > mostApplied) throw new UnusableSchema('the schema is composed of too much');
    known.set(schema, sum);
    return sum;
  }
}

/** What a local reference names; undefined for others, which ajv resolves or refuses. */
function targetOf(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found = root;
  for (const step of decodeURIComponent(reference.slice(1)).split('/').slice(1)) {
    if (found === null || typeof found !== 'object') return undefined;
    found = (found as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}

/** True when a value from JSON is nested at most that deep. */
export function isShallow(value: unknown, most: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return most > 0 && Object.values(value).every((part) => isShallow(part, most - 1));
}
