import { Kind, parse } from 'graphql';

/** Values for the variables that an example declares: ids that are known, a fresh idempotency key; the others keep their defaults. */
export function variablesFor(query: string, ids: Readonly<Record<string, string>>): Record<string, string> {
  const operation = parse(query).definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  const names = operation?.variableDefinitions?.map(({ variable }) => variable.name.value) ?? [];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = name === 'key' ? crypto.randomUUID() : ids[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
