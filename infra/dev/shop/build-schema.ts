import {
  assertValidSchema,
  buildASTSchema,
  GraphQLScalarType,
  isObjectType,
  isScalarType,
  parse,
  type GraphQLSchema,
} from 'graphql';

/** Resolvers by type and field; scalars by name. */
export type ResolverMap = Readonly<Record<string, GraphQLScalarType | Readonly<Record<string, unknown>>>>;

/**
 * An executable schema from SDL and resolvers. A resolver for a type or field that the SDL has not is an error. Types of abstract values
 * are told by their `__typename`.
 */
export function buildSchema(sdl: string, resolvers: ResolverMap): GraphQLSchema {
  const schema = buildASTSchema(parse(sdl, { noLocation: true }));
  for (const [name, resolver] of Object.entries(resolvers)) {
    const type = schema.getType(name);
    if (resolver instanceof GraphQLScalarType) {
      if (!isScalarType(type)) throw new Error(`the SDL has no scalar ${name}`);
      type.serialize = resolver.serialize;
      type.parseValue = resolver.parseValue;
      type.parseLiteral = resolver.parseLiteral;
      continue;
    }
    if (!isObjectType(type)) throw new Error(`the SDL has no type ${name}`);
    for (const [field, resolve] of Object.entries(resolver)) {
      const definition = type.getFields()[field];
      if (!definition) throw new Error(`the SDL has no field ${name}.${field}`);
      definition.resolve = resolve as NonNullable<typeof definition.resolve>;
    }
  }
  assertValidSchema(schema);
  return schema;
}
