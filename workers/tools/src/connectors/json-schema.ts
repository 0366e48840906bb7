import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { RE2JS } from 're2js';
import { schemaCost } from './schema-cost.ts';

/** Bounds on a schema; one beyond them is refused when its definition is loaded. */
const mostSchemaBytes = 65_536;
const mostSchemaDepth = 32;
/** Work along one path into a value (schema-cost.ts). */
const mostCost = 200_000;
/** Nesting of a value that is validated; its owner holds to it. */
export const mostValueDepth = 12;

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
  if (!(schemaCost(schema, mostValueDepth) <= mostCost))
    throw new UnusableSchema('the schema is composed of too much');
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

/** True when a value from JSON is nested at most that deep. */
export function isShallow(value: unknown, most: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return most > 0 && Object.values(value).every((part) => isShallow(part, most - 1));
}
