import {
  getLocation,
  GraphQLError,
  Lexer,
  parse,
  Source,
  TokenKind,
  visit,
  type DocumentNode,
} from 'graphql';

/** A 400 as the old Python parser writes it. */
export interface Refusal {
  readonly message: string;
  readonly locations?: readonly { line: number; column: number }[];
  readonly code: 'GraphQLSyntaxError' | 'GraphQLError';
}

/**
 * Parses a document as Saleor's parser (GraphQL of 2016) does: the literal `null` and block strings are syntax errors, and introspection
 * knows neither `isRepeatable` nor `specifiedByURL`. Null in variables is not its business.
 */
export function parseQuery(text: string): { document: DocumentNode } | { refusal: Refusal } {
  const source = new Source(text);
  const block = firstBlockString(source);
  let document: DocumentNode;
  try {
    document = parse(source);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const at = error.positions?.[0] ?? 0;
    if (block && block.at < at) return { refusal: syntaxError(source, block.at, block.message) };
    const message = error.message
      .replace(/^Syntax Error: /, '')
      .replace(/\.$/, '')
      .replaceAll('<EOF>', 'EOF');
    return { refusal: syntaxError(source, at, message) };
  }
  const literal = firstNull(document);
  if (literal !== undefined && (!block || literal < block.at))
    return { refusal: syntaxError(source, literal, 'Unexpected Name "null"') };
  if (block) return { refusal: syntaxError(source, block.at, block.message) };
  const field = newIntrospection(document);
  if (field) {
    const where = { locations: [getLocation(source, field.at)] };
    return { refusal: { message: field.message, ...(field.located ? where : {}), code: 'GraphQLError' } };
  }
  return { document };
}

function syntaxError(source: Source, position: number, message: string): Refusal {
  const { line, column } = getLocation(source, position);
  return {
    message: `Syntax Error GraphQL (${line}:${column}) ${message}\n\n${excerpt(source.body, line, column)}`,
    locations: [{ line, column }],
    code: 'GraphQLSyntaxError',
  };
}

/** The line before, the line with a caret under the column, the line after; each with its number. */
function excerpt(body: string, line: number, column: number): string {
  const lines = body.split(/\r\n|[\n\r]/);
  const width = String(line + 1).length;
  const numbered = (n: number): string => `${String(n).padStart(width)}: ${lines[n - 1] ?? ''}\n`;
  return (
    (line >= 2 ? numbered(line - 1) : '') +
    numbered(line) +
    `${' '.repeat(1 + width + column)}^\n` +
    (line < lines.length ? numbered(line + 1) : '')
  );
}

/** A block string reads, to that parser, as an empty string followed by another string. */
function firstBlockString(source: Source): { at: number; message: string } | undefined {
  const lexer = new Lexer(source);
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance())
      if (token.kind === TokenKind.BLOCK_STRING) {
        const value = /^[^"\n\r]*/.exec(source.body.slice(token.start + 3))?.[0] ?? '';
        return { at: token.start + 2, message: `Expected Name, found String "${value}"` };
      }
  } catch {
    // The parser reports it.
  }
  return undefined;
}

function firstNull(document: DocumentNode): number | undefined {
  let first: number | undefined;
  visit(document, { NullValue: (node) => void (first ??= node.loc?.start ?? 0) });
  return first;
}

const later: Readonly<Record<string, { type: string; located: boolean }>> = {
  isRepeatable: { type: '__Directive', located: false },
  specifiedByURL: { type: '__Type', located: true },
};

function newIntrospection(
  document: DocumentNode,
): { message: string; at: number; located: boolean } | undefined {
  let found: { message: string; at: number; located: boolean } | undefined;
  visit(document, {
    Field(node) {
      const since = later[node.name.value];
      if (since && !found)
        found = {
          message: `Cannot query field "${node.name.value}" on type "${since.type}".`,
          at: node.loc?.start ?? 0,
          located: since.located,
        };
    },
  });
  return found;
}
