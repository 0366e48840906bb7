import type { ObjectRef } from '@pothos/core';
import type { createBuilder } from './builder.ts';
import type { Page } from './connection.ts';

type Builder = ReturnType<typeof createBuilder<object>>;

/** Adds `PageInfo`, shareable: Saleor and our subgraphs all have it with these four fields. Returns a maker of `…Connection` types. */
export function connectionTypes(anyBuilder: object) {
  const builder = anyBuilder as Builder;
  const pageInfo = builder.objectRef<Page<unknown>['pageInfo']>('PageInfo').implement({
    description: 'Where a page stands in its list (relay Cursor Connections).',
    shareable: true,
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether more nodes follow.' }),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
        description: 'Whether nodes come before this page.',
      }),
      startCursor: t.exposeString('startCursor', {
        nullable: true,
        description: 'Cursor of the first node of the page.',
      }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Cursor of the last node; give it as `after`.',
      }),
    }),
  });

  /** `<name>Connection` and `<name>Edge` over a node type. */
  return function connection<T>(name: string, node: { readonly $inferType: T }) {
    const edge = builder.objectRef<Page<T>['edges'][number]>(`${name}Edge`).implement({
      description: `One ${name} in a list, with its cursor.`,
      fields: (t) => ({
        node: t.field({
          type: node as unknown as ObjectRef<never, T>,
          description: `The ${name}.`,
          resolve: (row) => row.node as never,
        }),
        cursor: t.exposeString('cursor', { description: 'Opaque position in the list.' }),
      }),
    });
    return builder.objectRef<Page<T>>(`${name}Connection`).implement({
      description: `A page of ${name} nodes.`,
      fields: (t) => ({
        edges: t.field({
          type: [edge],
          description: 'Nodes with their cursors.',
          resolve: (page) => [...page.edges],
        }),
        pageInfo: t.field({
          type: pageInfo,
          description: 'Where this page stands.',
          resolve: (page) => page.pageInfo,
        }),
        totalCount: t.exposeInt('totalCount', {
          nullable: true,
          description: 'Nodes in the whole list, where it is cheap to know.',
        }),
      }),
    });
  };
}
