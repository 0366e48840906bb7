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
