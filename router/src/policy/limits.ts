import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Limits } from '../deps.ts';
import { rootFields } from './closed-mutations.ts';

/** What a selection set amounts to when its fragments are written out. */
interface Size {
  readonly depth: number;
  readonly fields: number;
}

/** Fragments that spread each other say very much in few words: this is how many fields they may amount to. */
const mostFields = 10_000;
/** How deep the introspection query of common tools is; what is below its lists is limited by GraphQL's own rules. */
const introspectionDepth = 16;

/** What of a document is over a limit; undefined when nothing is. Linear in the document: each fragment is measured once. */
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
  const sizes = new Map<string, Size>();
  const sizeOf = (set: SelectionSetNode | undefined): Size => {
    let depth = 0;
    let fields = 0;
    for (const selection of set?.selections ?? []) {
      const isField = selection.kind === Kind.FIELD;
      if (isField && selection.alias) aliases += 1;
      const size =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? sizeOfFragment(fragments.get(selection.name.value))
          : sizeOf(selection.selectionSet);
      depth = Math.max(depth, size.depth + (isField ? 1 : 0));
      fields += size.fields + (isField ? 1 : 0);
    }
    return { depth, fields };
  };
  const sizeOfFragment = (fragment: FragmentDefinitionNode | undefined): Size => {
    if (!fragment) return { depth: 0, fields: 0 };
    const name = fragment.name.value;
    const known = sizes.get(name);
    if (known) return known;
    sizes.set(name, { depth: 0, fields: 0 }); // a cycle ends here; validation refuses it
    const size = sizeOf(fragment.selectionSet);
    sizes.set(name, size);
    return size;
  };
  for (const operation of document.definitions) {
    if (operation.kind !== Kind.OPERATION_DEFINITION) continue;
    const roots = rootFields(operation.selectionSet, fragments);
    if (roots.length > limits.rootFields)
      return over(
        'TOO_MANY_ROOT_FIELDS',
        `The operation has ${roots.length} root fields; ${limits.rootFields} are allowed.`,
      );
    const { depth, fields } = sizeOf(operation.selectionSet);
    const deepest = roots.every((name) => name.startsWith('__'))
      ? Math.max(limits.depth, introspectionDepth)
      : limits.depth;
    if (depth > deepest)
      return over('QUERY_TOO_DEEP', `The operation is ${depth} levels deep; ${deepest} are allowed.`);
    if (fields > mostFields)
      return over('QUERY_TOO_LARGE', `The operation has ${fields} fields; ${mostFields} are allowed.`);
  }
  return aliases > limits.aliases
    ? over('TOO_MANY_ALIASES', `The document has ${aliases} aliases; ${limits.aliases} are allowed.`)
    : undefined;
}

/** How many lexical tokens a document has. */
export function tokensOf(document: DocumentNode): number {
  let count = 0;
  for (let token = document.loc?.startToken; token; token = token.next ?? undefined) count += 1;
  return count;
}

const over = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
