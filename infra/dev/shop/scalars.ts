import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { toMinor } from './money.ts';

/** Stands for an entity key that was written into the query text; Saleor cannot read those. */
export const writtenAsLiteral = Symbol('representation written as a literal');

const text = (name: string, check: (value: string) => boolean = () => true): GraphQLScalarType =>
  new GraphQLScalarType({
    name,
    parseValue(value) {
      if (typeof value !== 'string' || !check(value))
        throw new GraphQLError(`${name} cannot represent value: ${JSON.stringify(value)}`);
      return value;
    },
    parseLiteral(node) {
      if (node.kind !== Kind.STRING || !check(node.value))
        throw new GraphQLError(`${name} cannot represent this value`);
      return node.value;
    },
  });

const anything = (name: string): GraphQLScalarType => new GraphQLScalarType({ name });

/** ISO time as Python prints it: microseconds and `+00:00`. */
const pythonTime = (iso: string): string =>
  iso.replace(
    /(?:\.(\d{1,6})\d*)?Z$/,
    (_all, fraction: string | undefined) => `.${(fraction ?? '').padEnd(6, '0')}+00:00`,
  );

const dateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  serialize: (value) => pythonTime(String(value)),
  parseValue: (value) => isoTime(value),
  parseLiteral: (node) => isoTime(node.kind === Kind.STRING ? node.value : undefined),
});

function isoTime(value: unknown): string {
  const time = typeof value === 'string' ? new Date(value) : undefined;
  if (!time || Number.isNaN(time.getTime()))
    throw new GraphQLError(`DateTime cannot represent value: ${JSON.stringify(value)}`);
  return time.toISOString();
}

const decimal = new GraphQLScalarType<string, string>({
  name: 'PositiveDecimal',
  parseValue: (value) =>
    positive(typeof value === 'number' || typeof value === 'string' ? String(value) : ''),
  parseLiteral: (node) =>
    positive(
      node.kind === Kind.INT || node.kind === Kind.FLOAT || node.kind === Kind.STRING ? node.value : '',
    ),
});

function positive(value: string): string {
  if (toMinor(value, 'USD') === undefined)
    throw new GraphQLError(`Value cannot be lower than 0 and must be a decimal: "${value}"`);
  return value;
}

const integer = (name: string): GraphQLScalarType =>
  new GraphQLScalarType({
    name,
    parseValue: (value) => value,
    parseLiteral: (node) => (node.kind === Kind.INT ? Number(node.value) : undefined),
  });

const representation = new GraphQLScalarType({
  name: '_Any',
  parseValue: (value) => value,
  parseLiteral: () => writtenAsLiteral,
});

/** The scalars of the schema; money comes in as decimal text and is made minor units where the currency is known. */
export const scalars = {
  DateTime: dateTime,
  Date: text('Date', (value) => /^\d{4}-\d\d-\d\d$/.test(value)),
  UUID: text('UUID', (value) => /^[0-9a-f-]{36}$/i.test(value)),
  Decimal: anything('Decimal'),
  PositiveDecimal: decimal,
  PositiveInt: integer('PositiveInt'),
  Minute: integer('Minute'),
  Hour: integer('Hour'),
  Day: integer('Day'),
  JSON: anything('JSON'),
  JSONString: text('JSONString', isJson),
  Metadata: anything('Metadata'),
  GenericScalar: anything('GenericScalar'),
  _Any: representation,
};

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
