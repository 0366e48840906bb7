/**
 * How many nodes a JSON value has once every local reference (`#/…`) in it is replaced by what it names: what reading it costs whoever follows them. A few
 * hundred references can make billions. A reference that leads back to itself counts `cycle`; one to anywhere else, or to nothing, makes it infinite.
 */
export function expandedSize(root: object, cycle: number): number {
  const known = new Map<object, number | 'open'>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    const before = known.get(value);
    if (before !== undefined) return before === 'open' ? cycle : before;
    known.set(value, 'open');
    const reference = (value as { readonly $ref?: unknown }).$ref;
    let size = 1;
    if (typeof reference === 'string') size += sizeAt(reference);
    for (const member of Object.values(value)) size += sizeOf(member);
    known.set(value, size);
    return size;
  };
  const sizeAt = (reference: string): number => {
    const target =
      reference === '#' ? root : reference.startsWith('#/') ? pointedAt(root, reference) : undefined;
    return target === undefined ? Number.POSITIVE_INFINITY : sizeOf(target);
  };
  return sizeOf(root);
}

function pointedAt(root: object, reference: string): unknown {
  let value: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const name = decodePointer(part);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function decodePointer(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}

/** How deep objects and arrays are inside each other. Ends at `most`, so that no depth is too much for it. */
export function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return most === 0 || Object.values(value).some((member) => isDeeper(member, most - 1));
}
