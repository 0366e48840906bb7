import { createSchema, createYoga } from 'graphql-yoga';
import { withReadiness } from './readiness.ts';

/** As much of the graph as the REST routes ask for. */
const sdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])
  scalar DateTime
  type Refusal { code: String! message: String! field: String }
  type Document { id: ID! name: String! state: String! attempt: Int! progress: Float! failure: String error: String }
  type Header { name: String! value: String! }
  type Upload { method: String! url: String! headers: [Header!]! expiresAt: DateTime! }
  type Quota { what: String! limit: String! used: String! }
  type DocumentUploadInitPayload { document: Document upload: Upload quota: Quota errors: [Refusal!]! }
  type DocumentPayload { document: Document errors: [Refusal!]! }
  input DocumentUploadInitInput { knowledgeBaseId: ID! name: String! contentType: String! sizeBytes: Int! sha256: String! }
  input DocumentIngestInput { documentId: ID! knowledgeBaseId: ID }
  type Query { knowledge: String }
  type Mutation {
    documentUploadInit(input: DocumentUploadInitInput!): DocumentUploadInitPayload!
    documentIngest(input: DocumentIngestInput!): DocumentPayload!
  }
`;

const document = { id: 'd1', name: 'a.md', state: 'UPLOADED', attempt: 1, progress: 0 };

/** A knowledge subgraph that takes every file but those named after a refusal. */
export function createKnowledge() {
  const asked: Record<string, unknown>[] = [];
  const refusals = (code: string) => [{ code, message: `refused: ${code}`, field: null }];
  const yoga = createYoga({
    graphqlEndpoint: '/graphql',
    logging: false,
    schema: createSchema({
      typeDefs: sdl.replace(/extend schema.*/, ''),
      resolvers: {
        Mutation: {
          documentUploadInit: (_root: unknown, { input }: { input: Record<string, unknown> }) => {
            asked.push(input);
            const code = /^refuse (\w+)/.exec(String(input['name']))?.[1];
            if (code)
              return {
                quota: code === 'QUOTA_EXCEEDED' ? { what: 'BYTES', limit: '10', used: '9' } : null,
                errors: refusals(code),
              };
            const headers = [{ name: 'content-type', value: input['contentType'] }];
            const upload = { method: 'PUT', url: 'https://s3.test/key', headers, expiresAt: 'soon' };
            return { document: { ...document, state: 'AWAITING_UPLOAD' }, upload, errors: [] };
          },
          documentIngest: (_root: unknown, { input }: { input: Record<string, unknown> }) => {
            asked.push(input);
            return input['documentId'] === 'd1'
              ? { document, errors: [] }
              : { errors: refusals('DOCUMENT_NOT_FOUND') };
          },
        },
      },
    }),
  });
  return {
    sdl,
    /** The inputs of all commands, in order. */
    asked,
    fetch: withReadiness(async (request) => yoga.fetch(request, {})),
  };
}
