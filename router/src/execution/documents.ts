import { createHash } from 'node:crypto';
import {
  GraphQLError,
  parse,
  print,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Deps } from '../deps.ts';
import { limitError, tokensOf } from '../policy/limits.ts';
import { secretLiteralError } from '../policy/secret-literals.ts';

/**
 * Texts of operations turned into documents, and documents judged, each once: clients send the same few operations over and over. Only what was found good
 * is kept.
 */
export interface Documents {
  /** Throws a coded GraphQLError: QUERY_TOO_LARGE, GRAPHQL_PARSE_FAILED. */
  parse(text: string): DocumentNode;
  /** What is wrong with a document on a schema: limits first, then GraphQL's own rules; coded. */
  faults(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[];
}

/** What is kept may take so much memory: strangers fill this cache. */
const keptBytes = 64 * 1_024 * 1_024;
/** What a document takes for each of its tokens, beside its text; measured 300 to 550. */
const bytesPerToken = 600;
const mostFaults = 20;

export function createDocuments({
  limits,
  introspection,
}: Pick<Deps, 'limits' | 'introspection'>): Documents {
  const parsed = new LRUCache<string, DocumentNode>({
    maxSize: keptBytes,
    sizeCalculation: (document, text) => 2 * text.length + bytesPerToken * (tokensOf(document) + 1),
  });
  const judged = new WeakMap<DocumentNode, WeakMap<GraphQLSchema, readonly GraphQLError[]>>();

  function judge(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
    const refused = limitError(document, limits) ?? secretLiteralError(document);
    if (refused) return [refused];
    return validate(schema, document, specifiedRules, { maxErrors: mostFaults }).map((error) =>
      coded(
        'GRAPHQL_VALIDATION_FAILED',
        introspection === 'everybody' ? error.message : withoutHints(error.message),
        error,
      ),
    );
  }

  return {
    parse(text) {
      const known = parsed.get(text);
      if (known) return known;
      try {
        return parse(text, { maxTokens: limits.tokens });
      } catch (error) {
        const fault = error as GraphQLError;
        if (/contains more tha[nt] \d+ tokens/.test(fault.message))
          throw coded('QUERY_TOO_LARGE', `The document has more than ${limits.tokens} tokens.`);
        throw coded('GRAPHQL_PARSE_FAILED', fault.message, fault);
      }
    },
    faults(schema, document) {
      let known = judged.get(document);
      if (!known) judged.set(document, (known = new WeakMap()));
      const faults = known.get(schema) ?? judge(schema, document);
      known.set(schema, faults);
      const text = document.loc?.source.body;
      if (!faults.length && text !== undefined) parsed.set(text, document);
      return faults;
    },
  };
}

const printed = new WeakMap<DocumentNode, { readonly text: string; readonly hash: string }>();

/** A document's text and its sha256, the key of its query plan; made once per document. */
export function textOf(document: DocumentNode): { readonly text: string; readonly hash: string } {
  const known = printed.get(document);
  if (known) return known;
  const text = print(document);
  const made = { text, hash: createHash('sha256').update(text).digest('hex') };
  printed.set(document, made);
  return made;
}

/** Where introspection is closed, a misspelt field must not be answered with the names of others. */
const withoutHints = (message: string): string => message.replace(/ Did you mean .*$/, '');

/** A client's fault as an error with a stable code and its place in the document; 400 for HTTP. */
const coded = (code: string, message: string, at?: GraphQLError): GraphQLError =>
  new GraphQLError(message, {
    ...(at?.nodes ? { nodes: at.nodes } : {}),
    ...(at?.source ? { source: at.source } : {}),
    ...(at?.positions ? { positions: at.positions } : {}),
    extensions: { code, http: { status: 400 } },
  });
