import { Kind, OperationTypeNode, type DocumentNode, type FieldNode, type SelectionSetNode } from 'graphql';
import { parseQuery } from './parser-quirks.ts';

/** Types of the `Event` interface and the event each stands for. */
const eventOfType: Readonly<Record<string, string>> = {
  OrderCreated: 'ORDER_CREATED',
  OrderUpdated: 'ORDER_UPDATED',
  OrderPaid: 'ORDER_PAID',
  OrderFullyPaid: 'ORDER_FULLY_PAID',
  OrderRefunded: 'ORDER_REFUNDED',
  OrderFullyRefunded: 'ORDER_FULLY_REFUNDED',
  OrderCancelled: 'ORDER_CANCELLED',
};
const typeOfEvent = Object.fromEntries(Object.entries(eventOfType).map(([type, event]) => [event, type]));

/** The GraphQL type of an event, e.g. `OrderFullyPaid`. */
export const typeNameOf = (event: string): string => typeOfEvent[event] ?? '';

/** A webhook's query, ready to run: its single root field decides how the body is wrapped. */
export type WebhookQuery =
  | {
      readonly ok: true;
      readonly document: DocumentNode;
      readonly root: FieldNode;
      readonly events: ReadonlySet<string>;
    }
  | {
      readonly ok: false;
      readonly code: 'SYNTAX' | 'MISSING_SUBSCRIPTION' | 'INVALID' | 'GRAPHQL_ERROR';
      readonly message: string;
    };

const refused = (code: 'SYNTAX' | 'MISSING_SUBSCRIPTION' | 'INVALID', message: string): WebhookQuery => ({
  ok: false,
  code,
  message,
});

/** Reads a subscription query and which events it is about: from `... on OrderX` under `event`, or from a root like `orderFullyPaid`. */
export function subscriptionEvents(text: string): WebhookQuery {
  const parsed = parseQuery(text);
  if ('refusal' in parsed) return refused('SYNTAX', parsed.refusal.message);
  const operation = parsed.document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION || operation.operation !== OperationTypeNode.SUBSCRIPTION)
    return refused('MISSING_SUBSCRIPTION', 'Missing subscription field.');
  const roots = operation.selectionSet.selections.filter((one) => one.kind === Kind.FIELD);
  const root = roots[0];
  if (!root || roots.length > 1) return refused('INVALID', 'Subscription must have exactly one root field.');
  const name = root.name.value;
  if (name !== 'event') {
    const event = eventOfType[name.charAt(0).toUpperCase() + name.slice(1)];
    return event
      ? { ok: true, document: parsed.document, root, events: new Set([event]) }
      : refused('INVALID', `Unknown subscription ${name}.`);
  }
  const events = new Set<string>();
  collect(parsed.document, root.selectionSet, events);
  return { ok: true, document: parsed.document, root, events };
}

function collect(
  document: DocumentNode,
  selections: SelectionSetNode | undefined,
  events: Set<string>,
): void {
  for (const selection of selections?.selections ?? []) {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const event = eventOfType[selection.typeCondition?.name.value ?? ''];
      if (event) events.add(event);
      else collect(document, selection.selectionSet, events);
    }
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = document.definitions.find(
        (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === selection.name.value,
      );
      if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) continue;
      const event = eventOfType[fragment.typeCondition.name.value];
      if (event) events.add(event);
      else collect(document, fragment.selectionSet, events);
    }
  }
}

/** Channels that a filterable root is limited to; empty means all. */
export function channelsOf(root: FieldNode): string[] {
  const value = root.arguments?.find((argument) => argument.name.value === 'channels')?.value;
  if (value?.kind === Kind.LIST)
    return value.values.flatMap((one) => (one.kind === Kind.STRING ? [one.value] : []));
  return value?.kind === Kind.STRING ? [value.value] : [];
}
