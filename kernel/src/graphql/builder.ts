import SchemaBuilder from '@pothos/core';
import DirectivePlugin from '@pothos/plugin-directives';
import FederationPlugin from '@pothos/plugin-federation';
import { GraphQLError, Kind, type ValueNode } from 'graphql';
import type { Caller } from '../caller.ts';
import { parseMicroCredits } from '../credits.ts';

/** What every resolver finds in its context. */
export interface GraphContext<Deps> {
  readonly caller: Caller;
  readonly deps: Deps;
  readonly request: Request;
}

/**
 * A Pothos builder with the house's settings: fields non-null and inputs required unless said, federation, and the shared scalars.
 * Call once per subgraph; the type argument is its `Deps`.
 */
export function createBuilder<Deps extends object>() {
  const builder = new SchemaBuilder<{
    Context: GraphContext<Deps>;
    DefaultFieldNullability: false;
    DefaultInputFieldRequiredness: true;
    Scalars: {
      ID: { Input: string; Output: string };
      DateTime: { Input: Date; Output: Date };
      JSON: { Input: unknown; Output: unknown };
      MicroCredits: { Input: bigint; Output: bigint };
    };
  }>({
    plugins: [DirectivePlugin, FederationPlugin],
    defaultFieldNullability: false,
    defaultInputFieldRequiredness: true,
  });

  builder.scalarType('DateTime', {
    description: 'An instant in ISO 8601 with milliseconds, in UTC.',
    serialize: (value) => value.toISOString(),
    parseValue: (value) => {
      const date = typeof value === 'string' ? new Date(value) : new Date(Number.NaN);
      if (Number.isNaN(date.getTime())) throw invalid('DateTime', 'an ISO 8601 instant');
      return date;
    },
  });
  builder.scalarType('JSON', {
    description: 'Any JSON value.',
    serialize: (value) => value,
    parseValue: (value) => value,
    parseLiteral: literalToJson,
  });
  builder.scalarType('MicroCredits', {
    description:
      'Credits as an integer number of micro-credits in a decimal string: "1500000" is 1.5 credits.',
    serialize: (value) => value.toString(),
    parseValue: (value) => {
      const amount = typeof value === 'string' ? parseMicroCredits(value) : undefined;
      if (amount === undefined) throw invalid('MicroCredits', 'a decimal string of micro-credits');
      return amount;
    },
  });
  return builder;
}

const invalid = (scalar: string, expected: string): GraphQLError =>
  new GraphQLError(`${scalar} must be ${expected}.`, { extensions: { code: 'BAD_USER_INPUT' } });

function literalToJson(node: ValueNode, variables?: Record<string, unknown> | null): unknown {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => literalToJson(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, literalToJson(field.value, variables)]),
      );
    case Kind.VARIABLE:
      return variables?.[node.name.value];
  }
}
