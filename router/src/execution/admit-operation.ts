import {
  getVariableValues,
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Caller } from '@agentstore/kernel/caller';
import type { Deps } from '../deps.ts';
import { closedMutationError, rootFields } from '../policy/closed-mutations.ts';
import { isOpenToVisitors } from '../policy/visitor-fields.ts';

/** The operation that a request names, or the only one; undefined when there is none or it is not clear which. */
export function operationOf(
  document: DocumentNode,
  operationName?: string | null,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  if (operationName) return operations.find((one) => one.name?.value === operationName);
  return operations.length === 1 ? operations[0] : undefined;
}

/** A document's fragments by name. */
export const fragmentsOf = (document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> =>
  new Map(
    document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  );

/**
 * Why a valid document may not be executed with these variables by this caller: no such operation (OPERATION_RESOLUTION_FAILURE), variables of a wrong type (BAD_USER_INPUT),
 * introspection that is closed (UNAUTHENTICATED), a mutation that is closed (FORBIDDEN_OPERATION), a field that is not for visitors of a widget
 * (FORBIDDEN). Nothing when it may.
 */
export function refusalsOf(
  asked: {
    readonly document: DocumentNode;
    readonly operationName?: string | null | undefined;
    readonly variables?: Readonly<Record<string, unknown>> | undefined;
  },
  by: {
    readonly schema: GraphQLSchema;
    readonly caller: Caller;
    readonly introspection: Deps['introspection'];
  },
): readonly GraphQLError[] {
  const operation = operationOf(asked.document, asked.operationName);
  if (!operation) return [refusal('OPERATION_RESOLUTION_FAILURE', 'Name one operation of the document.')];
  const fragments = fragmentsOf(asked.document);
  const closed = closedMutationError(operation, fragments);
  if (closed) return [closed];
  const roots = rootFields(operation.selectionSet, fragments);
  const closedToVisitor =
    by.caller.kind === 'WIDGET_SESSION' ? roots.find((name) => !isOpenToVisitors(name)) : undefined;
  if (closedToVisitor)
    return [refusal('FORBIDDEN', `${closedToVisitor} is not open to visitors of a widget.`)];
  if (
    by.introspection === 'signed-in' &&
    by.caller.kind === 'ANONYMOUS' &&
    roots.some((name) => name === '__schema' || name === '__type')
  )
    return [refusal('UNAUTHENTICATED', 'Sign in to introspect the schema.')];
  if (operation.operation === 'subscription' && hasRootCondition(operation, fragments))
    return [refusal('BAD_USER_INPUT', 'A subscription cannot skip or include its root field.')];
  const { errors } = getVariableValues(
    by.schema,
    operation.variableDefinitions ?? [],
    asked.variables ?? {},
    { maxErrors: 10 },
  );
  return (errors ?? []).map(({ message }) => refusal('BAD_USER_INPUT', message));
}

/** The planner has no plan for a subscription whose root field may not be there. */
function hasRootCondition(
  { selectionSet }: Pick<OperationDefinitionNode, 'selectionSet'>,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): boolean {
  return selectionSet.selections.some((selection) => {
    if (selection.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include'))
      return true;
    if (selection.kind === Kind.INLINE_FRAGMENT) return hasRootCondition(selection, fragments);
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : undefined;
    return fragment !== undefined && hasRootCondition(fragment, fragments);
  });
}

const refusal = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });
