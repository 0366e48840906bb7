import {
  Kind,
  parse,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
  type VariableDefinitionNode,
} from 'graphql';

/** One request to Saleor. */
export interface SaleorRequest {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Most entity keys that Saleor takes in one `_entities` call (FEDERATED_QUERY_MAX_ENTITIES). */
export const maxEntities = 100;

/**
 * A query in the words that Saleor's parser knows: it refuses a literal `null` (moved into a variable of the position's type) and block strings
 * (written as plain ones). A query with neither goes through untouched.
 */
export function inSaleorsWords(
  query: string,
  variables: Record<string, unknown>,
  schema: GraphQLSchema,
): SaleorRequest {
  if (!query.includes('null') && !query.includes('"""')) return { query, variables };
  const types = new TypeInfo(schema);
  const added: VariableDefinitionNode[] = [];
  const values: Record<string, unknown> = {};
  const document: DocumentNode = visit(
    parse(query, { noLocation: true }),
    visitWithTypeInfo(types, {
      StringValue: (node) => (node.block ? { ...node, block: false } : undefined),
      NullValue: () => {
        const type = types.getInputType();
        const name = `null_${added.length}`;
        added.push({
          kind: Kind.VARIABLE_DEFINITION,
          variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } },
          type: {
            kind: Kind.NAMED_TYPE,
            name: { kind: Kind.NAME, value: type ? String(type).replace(/!$/, '') : 'String' },
          },
        });
        values[name] = null;
        return { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } };
      },
      // `$x: T = null` says what `$x: T` says already.
      VariableDefinition: (node) =>
        node.defaultValue?.kind === Kind.NULL ? { ...node, defaultValue: undefined } : undefined,
    }),
  );
  const withVariables: DocumentNode = visit(document, {
    OperationDefinition: (node) => ({
      ...node,
      variableDefinitions: [...(node.variableDefinitions ?? []), ...added],
    }),
  });
  return { query: print(withVariables), variables: { ...variables, ...values } };
}

/** Representations split into calls Saleor answers rightly: no duplicates, one typename a call, at most 100 keys; `place` puts answers back in order. */
export function entityCalls(representations: readonly Record<string, unknown>[]): {
  calls: Record<string, unknown>[][];
  place: (answers: readonly (readonly unknown[] | null)[]) => unknown[];
} {
  const calls: Record<string, unknown>[][] = [];
  const open = new Map<unknown, number>();
  const seen = new Map<string, { call: number; index: number }>();
  const places = representations.map((representation) => {
    const key = JSON.stringify(representation);
    let place = seen.get(key);
    if (!place) {
      let call = open.get(representation['__typename']);
      if (call === undefined || calls[call]!.length >= maxEntities) {
        call = calls.push([]) - 1;
        open.set(representation['__typename'], call);
      }
      place = { call, index: calls[call]!.push(representation) - 1 };
      seen.set(key, place);
    }
    return place;
  });
  return { calls, place: (answers) => places.map(({ call, index }) => answers[call]?.[index] ?? null) };
}
