import {
  Kind,
  parse,
  print,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
  type VariableDefinitionNode,
  type VariableNode,
} from 'graphql';

/** One request to Saleor. */
export interface SaleorRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Most entity keys that Saleor takes in one `_entities` call (FEDERATED_QUERY_MAX_ENTITIES). */
export const maxEntities = 100;

/**
 * A query in the words that Saleor's parser knows: it refuses a literal `null` (moved into a variable of the position's type) and block strings
 * (written as plain ones). A query with neither goes through untouched.
 */
export function inSaleorsWords(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): SaleorRequest {
  if (!query.includes('null') && !query.includes('"""')) return { query, variables };
  const document = parse(query, { noLocation: true });
  const types = new TypeInfo(schema);
  const added: VariableDefinitionNode[] = [];
  const values: Record<string, unknown> = {};
  const taken = variableNames(document);
  const freeName = (): string => {
    let name = `null_${added.length}`;
    while (taken.has(name)) name = `_${name}`;
    taken.add(name);
    return name;
  };
  const plain: DocumentNode = visit(
    document,
    visitWithTypeInfo(types, {
      StringValue: (node) => (node.block ? { ...node, block: false } : undefined),
      NullValue: () => {
        const name = freeName();
        const type = String(types.getInputType() ?? 'String').replace(/!$/, '');
        added.push({
          kind: Kind.VARIABLE_DEFINITION,
          variable: variable(name),
          type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } },
        });
        values[name] = null;
        return variable(name);
      },
      // A default cannot hold a variable: one with a null in it becomes the value that is sent when the client sent none.
      VariableDefinition: (node) => {
        if (!node.defaultValue || !print(node.defaultValue).includes('null')) return undefined;
        const name = node.variable.name.value;
        if (!(name in variables)) values[name] = valueFromASTUntyped(node.defaultValue);
        return { ...node, defaultValue: undefined };
      },
    }),
  );
  const declared: DocumentNode = visit(plain, {
    OperationDefinition: (node) => ({
      ...node,
      variableDefinitions: [...(node.variableDefinitions ?? []), ...added],
    }),
  });
  return { query: print(declared), variables: { ...variables, ...values } };
}

const variable = (name: string): VariableNode => ({
  kind: Kind.VARIABLE,
  name: { kind: Kind.NAME, value: name },
});

function variableNames(document: DocumentNode): Set<string> {
  const names = new Set<string>();
  visit(document, { Variable: (node) => void names.add(node.name.value) });
  return names;
}

type Representation = Readonly<Record<string, unknown>>;

/** Representations split into calls that Saleor answers rightly, and the way back. */
export interface EntityCalls {
  /** No duplicates, one typename a call, at most 100 keys. */
  readonly calls: readonly (readonly Representation[])[];
  /** The entities of all calls' answers in the order asked; null for what a call did not answer. */
  place(answers: readonly (readonly unknown[] | null)[]): unknown[];
  /** Paths in the whole answer for a path (`_entities`, index, …) in a call's: one for each place that asked for that entity. */
  paths(call: number, path: readonly (string | number)[]): (string | number)[][];
}

/** True for a query that the planner wrote to fetch entities; a client's own `$representations` is of another type. */
export const isEntityQuery = (query: string): boolean =>
  /^query[^({]*\(\$representations:\s*\[_Any!?\]/.test(query);

export function entityCalls(representations: readonly Representation[]): EntityCalls {
  const calls: Representation[][] = [];
  const open = new Map<unknown, number>();
  const seen = new Map<string, { readonly call: number; readonly index: number }>();
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
  return {
    calls,
    place(answers) {
      const placed = new Set<unknown>();
      return places.map(({ call, index }) => {
        const entity = answers[call]?.[index] ?? null;
        // What is fetched later is merged into each place's own entity.
        const own = placed.has(entity) ? structuredClone(entity) : entity;
        placed.add(entity);
        return own;
      });
    },
    paths: (call, [root, index, ...rest]) =>
      places.flatMap((place, at) =>
        place.call === call && place.index === index ? [[root ?? '_entities', at, ...rest]] : [],
      ),
  };
}
