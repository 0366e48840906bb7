type Json = Readonly<Record<string, unknown>>;

/** Formats that the tool gateway checks (those of ajv-formats). */
export const knownFormats: ReadonlySet<string> = new Set(
  (
    'date time date-time iso-time iso-date-time duration uri uri-reference uri-template url email hostname ipv4 ipv6 regex uuid ' +
    'json-pointer json-pointer-uri-fragment relative-json-pointer byte int32 int64 float double password binary'
  ).split(' '),
);

/** Keywords whose value is taken as it is. What is none of these or of those below says nothing about a value, or nothing that is enforced. */
const keywords = new Set(
  (
    'type enum const title description default examples deprecated format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum ' +
    'multipleOf required minProperties maxProperties minItems maxItems uniqueItems minContains maxContains dependentRequired $ref'
  ).split(' '),
);
const schemaMembers = new Set([
  'items',
  'additionalProperties',
  'not',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
]);
const schemaLists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const schemaMaps = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A schema of OpenAPI 3.0 or 3.1 as JSON Schema 2020-12: what 3.0 says in a way of its own is said as it is today. */
export function toToolSchema(schema: unknown): Json {
  if (schema === false) return { not: {} };
  if (!isObject(schema)) return {};
  const converted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'format' && !knownFormats.has(value as string)) continue;
    else if (schemaMembers.has(name))
      converted[name] = typeof value === 'boolean' ? value : toToolSchema(value);
    else if (schemaLists.has(name) && Array.isArray(value)) converted[name] = value.map(toToolSchema);
    else if (schemaMaps.has(name) && isObject(value)) converted[name] = mapValues(value, toToolSchema);
    else if (keywords.has(name)) converted[name] = value;
  }
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof converted[exclusive] !== 'boolean') continue;
    if (converted[exclusive]) {
      converted[exclusive] = converted[bound];
      delete converted[bound];
    } else delete converted[exclusive];
  }
  return schema['nullable'] === true ? nullable(converted) : converted;
}

function nullable(schema: Record<string, unknown>): Json {
  if (typeof schema['type'] !== 'string')
    return Object.keys(schema).length ? { anyOf: [schema, { type: 'null' }] } : schema;
  const values = schema['enum'];
  return {
    ...schema,
    type: [schema['type'], 'null'],
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}

const mapValues = (map: Json, change: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

/** The members of an object that a schema describes, when it is a plain one: properties, and `allOf` of nothing but those. */
export interface PlainObject {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
  /** Whether members that are not listed are welcome. */
  readonly open: boolean;
}

/** What a schema says in so many words about an object's members; undefined when it says something else as well. */
export function plainObject(schema: unknown): PlainObject | undefined {
  if (!isObject(schema)) return undefined;
  const isPlain =
    (schema['type'] === 'object' ||
      (schema['type'] === undefined && (schema['properties'] ?? schema['allOf']) !== undefined)) &&
    !['anyOf', 'oneOf', 'not', 'if', 'patternProperties', '$ref'].some((name) => name in schema);
  if (!isPlain) return undefined;
  const parts = ((schema['allOf'] ?? []) as unknown[]).map(plainObject);
  if (parts.some((part) => part === undefined)) return undefined;
  const own: PlainObject = {
    properties: isObject(schema['properties']) ? schema['properties'] : {},
    required: Array.isArray(schema['required']) ? (schema['required'] as string[]) : [],
    open: schema['additionalProperties'] === true || isObject(schema['additionalProperties']),
  };
  return [...(parts as PlainObject[]), own].reduce((all, part) => ({
    properties: { ...all.properties, ...part.properties },
    required: [...new Set([...all.required, ...part.required])],
    open: all.open || part.open,
  }));
}
