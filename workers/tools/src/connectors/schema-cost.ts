type Node = Readonly<Record<string, unknown>>;

const lists = ['allOf', 'anyOf', 'oneOf'];
const singles = ['not', 'if', 'then', 'else'];
/** Keywords whose schemas apply to members, or items, of any name or place. */
const anyMember = ['additionalProperties', 'unevaluatedProperties'];
const anyItem = ['items', 'contains', 'unevaluatedItems'];

/**
 * How often a schema's parts are applied, at most, along one path into a value of this depth; Infinity for a schema that applies to a value because it applies
 * to it. A schema may be small and cost much: each `allOf` that leads back to it doubles the work with each level of the value.
 */
export function schemaCost(root: Node, depth: number): number {
  const costs = Array.from({ length: depth + 1 }, () => new Map<Node, number>());
  const closures = new Map<Node, readonly Node[] | undefined>();
  return costAt(root, depth);

  function costAt(schema: Node, left: number): number {
    const known = costs[left]!.get(schema);
    if (known !== undefined) return known;
    const applied = closureOf(schema, new Set());
    const cost =
      applied === undefined || applied.length > mostApplied
        ? Infinity
        : applied.length +
          (left === 0 ? 0 : Math.max(0, ...slotsOf(applied).map((slot) => sumOf(slot, left - 1))));
    costs[left]!.set(schema, cost);
    return cost;
  }

  function sumOf(schemas: readonly Node[], left: number): number {
    return schemas.reduce((sum, schema) => sum + costAt(schema, left), 0);
  }

  /** The schema and all that apply to the same value with it; undefined when it is among the latter itself. */
  function closureOf(schema: Node, above: ReadonlySet<Node>): readonly Node[] | undefined {
    if (above.has(schema)) return undefined;
    if (closures.has(schema)) return closures.get(schema);
    const within = new Set([...above, schema]);
    let all: Node[] | undefined = [schema];
    for (const part of inPlace(schema, root)) {
      const more = closureOf(part, within);
      all = more && all && all.length <= mostApplied ? [...all, ...more] : undefined;
      if (!all) break;
    }
    closures.set(schema, all);
    return all;
  }
}

/** Schemas that may apply to one and the same value. */
const mostApplied = 200;

const nodesOf = (value: unknown): Node[] =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? [value as Node] : [];
const listOf = (value: unknown): Node[] => (Array.isArray(value) ? value.flatMap(nodesOf) : []);
const membersOf = (value: unknown): [string, Node][] =>
  nodesOf(value).flatMap((all) =>
    Object.entries(all).flatMap(([name, one]) => nodesOf(one).map((node): [string, Node] => [name, node])),
  );

function inPlace(schema: Node, root: Node): Node[] {
  const { $ref: reference } = schema;
  return [
    ...lists.flatMap((name) => listOf(schema[name])),
    ...singles.flatMap((name) => nodesOf(schema[name])),
    ...membersOf(schema['dependentSchemas']).map(([, node]) => node),
    ...(typeof reference === 'string' ? nodesOf(targetOf(root, reference)) : []),
  ];
}

/** For each member or item that one of the schemas names, all schemas that apply to it; and those that apply to any other. */
function slotsOf(applied: readonly Node[]): Node[][] {
  const named = new Map<string, Node[]>();
  const rest: Node[] = [];
  for (const schema of applied) {
    for (const [name, node] of membersOf(schema['properties']))
      named.set(name, [...(named.get(name) ?? []), node]);
    listOf(schema['prefixItems']).forEach((node, at) =>
      named.set(`${at}`, [...(named.get(`${at}`) ?? []), node]),
    );
    rest.push(
      ...[...anyMember, ...anyItem].flatMap((name) => nodesOf(schema[name])),
      ...membersOf(schema['patternProperties']).map(([, node]) => node),
    );
  }
  return [rest, ...[...named.values()].map((nodes) => [...nodes, ...rest])];
}

/** What a local reference names; undefined for others, which are resolved nowhere. */
function targetOf(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found = root;
  for (const step of decodeURIComponent(reference.slice(1)).split('/').slice(1)) {
    if (found === null || typeof found !== 'object') return undefined;
    found = (found as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}
