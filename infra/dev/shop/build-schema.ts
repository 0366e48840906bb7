import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLScalarType, GraphQLSchema } from 'graphql';

/** Resolvers by type and field; scalars by name. */
export type ResolverMap = Readonly<Record<string, GraphQLScalarType | Readonly<Record<string, unknown>>>>;

/**
 * An executable schema from SDL and resolvers. A resolver for a type or field that the SDL has not is an error. Types of abstract values
 * are told by their `__typename`.
 */
export const buildSchema = (sdl: string, resolvers: ResolverMap): GraphQLSchema =>
  makeExecutableSchema({
    typeDefs: sdl,
    resolvers: resolvers as never,
    resolverValidationOptions: {
      requireResolversToMatchSchema: 'error',
      requireResolversForResolveType: 'ignore',
    },
  });
