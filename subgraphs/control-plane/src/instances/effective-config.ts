type Json = Readonly<Record<string, unknown>>;

/**
 * The configuration an instance runs with: offering ← plan ← instance, later ones win member by member (objects are merged, everything else is
 * replaced). Secrets are never in any of the three; flows get those from the tool gateway.
 */
export const effectiveConfig = (...layers: readonly Json[]): Json =>
  layers.reduce<Json>((under, over) => merge(under, over), {});

function merge(under: Json, over: Json): Json {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(value) && isObject(below) ? merge(below, value) : value;
  }
  return merged;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The most characters a configuration may have as JSON: it is written to Git and read with each run. */
const maxConfigCharacters = 16_384;

/** What is wrong with a buyer's configuration by the version's schema (the members it declares, their types, enums and lengths). */
export function configFaults(schema: Json, config: Json): string[] {
  if (JSON.stringify(config).length > maxConfigCharacters)
    return [`the configuration is longer than ${maxConfigCharacters} characters`];
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Json>>;
  return Object.entries(config).flatMap(([name, value]) => {
    const rule = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!rule) return [`${name} is not a setting of this version`];
    const type = rule['type'];
    const actual = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    if (type !== undefined && type !== actual && !(type === 'integer' && Number.isInteger(value)))
      return [`${name} must be of type ${String(type as string)}`];
    if (Array.isArray(rule['enum']) && !rule['enum'].includes(value))
      return [`${name} must be one of ${rule['enum'].join(', ')}`];
    if (typeof value === 'string' && value.length > Number(rule['maxLength'] ?? 4_000))
      return [`${name} is longer than ${Number(rule['maxLength'] ?? 4_000)} characters`];
    if (
      typeof value === 'number' &&
      (value < Number(rule['minimum'] ?? value) || value > Number(rule['maximum'] ?? value))
    )
      return [`${name} is out of range`];
    return [];
  });
}
