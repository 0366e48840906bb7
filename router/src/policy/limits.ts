import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Limits } from '../deps.ts';

/** What of a document is over a limit; undefined when nothing is. Linear in the document: fragments are measured once. */
export function limitError(document: DocumentNode, limits: Limits): GraphQLError | undefined {
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
    ),
  );
  const tokens = tokensOf(document);
  if (tokens > limits.tokens)
    return over('QUERY_TOO_LARGE', `The document has ${tokens} tokens; ${limits.tokens} are allowed.`);
  let aliases = 0;
  const depths = new Map<string, number>();
  const depthOf = (set: SelectionSetNode | undefined): number => {
    let deepest = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) {
        if (selection.alias) aliases += 1;
        deepest = Math.max(deepest, 1 + depthOf(selection.selectionSet));
      } else
        deepest = Math.max(
          deepest,
          selection.kind === Kind.INLINE_FRAGMENT
            ? depthOf(selection.selectionSet)
            : depthOfFragment(fragments.get(selection.name.value)),
        );
    }
    return deepest;
  };
  const depthOfFragment = (fragment: FragmentDefinitionNode | undefined): number => {
    if (!fragment) return 0;
    const name = fragment.name.value;
    if (!depths.has(name)) {
      depths.set(name, 0); // a cycle ends here; validation refuses it
      depths.set(name, depthOf(fragment.selectionSet));
    }
    return depths.get(name)!;
  };
  for (const operation of document.definitions) {
    if (operation.kind !== Kind.OPERATION_DEFINITION) continue;
    const roots = operation.selectionSet.selections.length;
    if (roots > limits.rootFields)
      return over(
        'TOO_MANY_ROOT_FIELDS',
        `The operation has ${roots} root fields; ${limits.rootFields} are allowed.`,
      );
    const introspects = operation.selectionSet.selections.every(
      (one) => one.kind === Kind.FIELD && one.name.value.startsWith('__'),
    );
    const depth = depthOf(operation.selectionSet);
    if (depth > limits.depth && !introspects)
      return over('QUERY_TOO_DEEP', `The operation is ${depth} levels deep; ${limits.depth} are allowed.`);
  }
  return aliases > limits.aliases
    ? over('TOO_MANY_ALIASES', `The document has ${aliases} aliases; ${limits.aliases} are allowed.`)
    : undefined;
}

function tokensOf(document: DocumentNode): number {
  let count = 0;
  for (let token = document.loc?.startToken; token; token = token.next ?? undefined) count += 1;
  return count;
}

const over = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
