import { GraphQLError, Kind, visit, type ASTNode, type DocumentNode } from 'graphql';

/** Input members whose value is a secret of somebody, e.g. of `connectorBind`. */
const secretMember = 'secret';

/**
 * A secret written into the text of an operation; undefined when there is none. Documents are kept, with their plans, for the next time they are asked: a
 * secret may only come as a variable, or as a variable inside of a literal.
 */
export function secretLiteralError(document: DocumentNode): GraphQLError | undefined {
  let found: ASTNode | undefined;
  visit(document, {
    ObjectField(member) {
      if (found || member.name.value !== secretMember) return undefined;
      found = literalIn(member.value);
      return false;
    },
  });
  return (
    found &&
    new GraphQLError('A secret is given as a variable: the texts of operations are kept.', {
      extensions: { code: 'SECRET_IN_DOCUMENT', http: { status: 400 } },
    })
  );
}

/** The first text in a value that is more than the name of one of its fields. */
function literalIn(value: ASTNode): ASTNode | undefined {
  let found: ASTNode | undefined;
  visit(value, {
    ObjectField: (member) => (member.name.value === 'name' ? false : undefined),
    enter(node) {
      if (node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT) found ??= node;
    },
  });
  return found;
}
