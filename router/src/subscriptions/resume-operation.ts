import {
  getArgumentValues,
  getVariableValues,
  Kind,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
} from 'graphql';
import { operationOf } from '../execution/admit-operation.ts';
import type { Operation } from '../execution/engine.ts';

/** Variable that says where a resumed stream goes on. */
const afterVariable = '_after';
const rewritten = new WeakMap<FieldNode, DocumentNode>();

/**
 * A subscription that goes on after the last event its reader has seen: `lastEventId` is the `runId:seq` that the event had. Applies to a root field with the
 * arguments `runId` and `after`, when it is about that run; every other subscription stays as it is.
 */
export function resumed(operation: Operation, lastEventId: string | null, schema: GraphQLSchema): Operation {
  const [, runId, seq] = /^([\w=-]{1,200}):(\d{1,9})$/.exec(lastEventId ?? '') ?? [];
  const node = operationOf(operation.document, operation.operationName);
  const field = node?.selectionSet.selections[0];
  if (!runId || !node || field?.kind !== Kind.FIELD) return operation;
  const definition = schema.getSubscriptionType()?.getFields()[field.name.value];
  if (!['runId', 'after'].every((name) => definition?.args.some((arg) => arg.name === name)))
    return operation;
  const { coerced } = getVariableValues(schema, node.variableDefinitions ?? [], operation.variables ?? {});
  if (!coerced) return operation;
  const given = getArgumentValues(definition!, field, coerced);
  if (given['runId'] !== runId || Number(seq) <= Number(given['after'] ?? 0)) return operation;
  return {
    ...operation,
    document: goingOn(operation.document, field),
    variables: { ...operation.variables, [afterVariable]: Number(seq) },
  };
}

/** The document with `after: $_after` at that field; made once per field, so that its plan is too. */
function goingOn(document: DocumentNode, at: FieldNode): DocumentNode {
  const known = rewritten.get(at);
  if (known) return known;
  const name = { kind: Kind.NAME, value: afterVariable } as const;
  const variable = { kind: Kind.VARIABLE, name } as const;
  const made: DocumentNode = {
    ...document,
    definitions: document.definitions.map((definition) =>
      definition.kind !== Kind.OPERATION_DEFINITION || definition.selectionSet.selections[0] !== at
        ? definition
        : {
            ...definition,
            variableDefinitions: [
              ...(definition.variableDefinitions ?? []),
              {
                kind: Kind.VARIABLE_DEFINITION,
                variable,
                type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'Int' } },
              },
            ],
            selectionSet: {
              ...definition.selectionSet,
              selections: [
                {
                  ...at,
                  arguments: [
                    ...(at.arguments ?? []).filter((argument) => argument.name.value !== 'after'),
                    { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: 'after' }, value: variable },
                  ],
                },
                ...definition.selectionSet.selections.slice(1),
              ],
            },
          },
    ),
  };
  rewritten.set(at, made);
  return made;
}
