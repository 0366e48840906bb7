import {
  Kind,
  parse,
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
  type StringValueNode,
} from 'graphql';

/** What a documentation explorer can show of our part of a supergraph. */
export interface Descriptions {
  /** Coordinates of everything of ours: types, fields, arguments, input fields, enum values. */
  readonly counted: readonly string[];
  /** Those of `counted` without a description. */
  readonly missing: readonly string[];
  /** `code` fields of our `…Error` types whose codes are no enum of ours, so that nothing can describe them. */
  readonly uncodedErrors: readonly string[];
}

interface Annotated {
  readonly name: { readonly value: string };
  readonly description?: StringValueNode | undefined;
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Reads a composed supergraph. `ours` are subgraphs by name; what only others define is not looked at. */
export function readDescriptions(supergraph: string, ours: readonly string[]): Descriptions {
  const graphs = new Set(ours.map((name) => name.toUpperCase().replaceAll('-', '_')));
  const counted: string[] = [];
  const missing: string[] = [];
  const uncodedErrors: string[] = [];
  const note = (coordinate: string, { description }: Annotated): void => {
    counted.push(coordinate);
    if (!description?.value.trim()) missing.push(coordinate);
  };
  /** The graphs that a join directive names; undefined when there is none. */
  const joined = ({ directives }: Annotated, directive: string): string[] | undefined => {
    const found = (directives ?? []).filter(({ name }) => name.value === directive);
    return found.length
      ? found.flatMap(({ arguments: args }) =>
          (args ?? []).flatMap(({ name, value }) =>
            name.value === 'graph' && value.kind === Kind.ENUM ? [value.value] : [],
          ),
        )
      : undefined;
  };
  const isOurs = (names: string[] | undefined): boolean => (names ?? []).some((name) => graphs.has(name));
  /** A field without a join directive is in every graph that its type is in. */
  const isOurField = (type: Annotated, field: Annotated): boolean =>
    isOurs(joined(field, 'join__field') ?? joined(type, 'join__type'));

  const types = parse(supergraph, { noLocation: true }).definitions.filter(
    (one): one is DefinitionNode & Annotated =>
      'name' in one && isOurs(joined(one as Annotated, 'join__type')),
  );
  const enums = new Set(
    types.filter(({ kind }) => kind === Kind.ENUM_TYPE_DEFINITION).map(({ name }) => name.value),
  );
  for (const type of types) {
    note(type.name.value, type);
    if (type.kind === Kind.ENUM_TYPE_DEFINITION)
      for (const value of type.values ?? [])
        if (isOurs(joined(value, 'join__enumValue'))) note(`${type.name.value}.${value.name.value}`, value);
    if (!('fields' in type)) continue;
    for (const field of type.fields ?? []) {
      if (!isOurField(type, field)) continue;
      const coordinate = `${type.name.value}.${field.name.value}`;
      note(coordinate, field);
      if (field.kind === Kind.INPUT_VALUE_DEFINITION) continue;
      for (const argument of field.arguments ?? []) note(`${coordinate}(${argument.name.value}:)`, argument);
      if (type.name.value.endsWith('Error') && field.name.value === 'code' && !enums.has(namedType(field)))
        uncodedErrors.push(coordinate);
    }
  }
  return { counted, missing, uncodedErrors };
}

function namedType({ type }: FieldDefinitionNode): string {
  let inner = type;
  while (inner.kind !== Kind.NAMED_TYPE) inner = inner.type;
  return inner.name.value;
}
