/** The public REST contract (OpenAPI 3.1): the same commands as the graph, for programs that do not speak GraphQL. */
export function openApi(origin: string): object {
  const problems = {
    '4XX': {
      description: 'A refusal, as RFC 9457 problem+json with a stable `code`.',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  };
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  const kbId = { ...id, name: 'kbId' };
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Repeating a command under the same key answers the same and does nothing again. A fault of a command sent without one says, as `idempotencyKey`, the key under which alone it may be repeated.',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  };
  const lastEventId = {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The last seq seen: the stream goes on after it.',
    schema: { type: 'string' },
  };
  const body = (properties: object, required: string[]) => ({
    required: true,
    content: { 'application/json': { schema: { type: 'object', properties, required } } },
  });
  const text = { type: 'string' };
  const run = {
    input: text,
    conversationId: text,
    maxCharge: { type: 'string', description: 'micro-credits' },
    idempotencyKey: text,
  };
  const answer = (description: string) => ({
    description,
    content: { 'application/json': { schema: { type: 'object' } } },
  });
  const runAnswers = {
    200: answer('The run, ended.'),
    202: answer(
      'The run, started: asked for with Prefer: respond-async, or it could not be followed to its end. Location says where it is found.',
    ),
    503: { description: 'INSTANCE_PAUSED or UNAVAILABLE.' },
    ...problems,
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Agent Store',
      version: '1',
      description: 'Every route but those of the widget is an operation of the GraphQL graph at /graphql.',
    },
    servers: [{ url: origin }],
    security: [{ bearer: [] }],
    paths: {
      '/v1/workspaces/auto': {
        post: {
          summary: "The person's own workspace, made once",
          responses: { 200: answer('Organization and project.'), ...problems },
        },
      },
      '/v1/instances/autoActivate': {
        post: {
          summary: 'A trial instance',
          parameters: [key],
          requestBody: body({ projectId: text, offeringSlug: text, idempotencyKey: text }, [
            'projectId',
            'offeringSlug',
          ]),
          responses: { 201: answer('The instance.'), ...problems },
        },
      },
      '/v1/runs': {
        post: {
          summary: 'Start a run; with Accept: text/event-stream its events are streamed',
          parameters: [key, lastEventId],
          requestBody: body({ instanceId: text, ...run }, ['instanceId', 'input']),
          responses: runAnswers,
        },
      },
      '/v1/instances/{id}/runs': {
        post: {
          summary: "Start a run at an instance's own endpoint",
          parameters: [id, key, lastEventId],
          requestBody: body(run, ['input']),
          responses: runAnswers,
        },
      },
      '/v1/runs/{id}': {
        get: { summary: 'A run', parameters: [id], responses: { 200: answer('The run.'), ...problems } },
      },
      '/v1/runs/{id}/events': {
        get: {
          summary: "A run's events as server-sent events, resumed by Last-Event-ID",
          parameters: [id, lastEventId],
          responses: {
            200: { description: 'The stream.', content: { 'text/event-stream': {} } },
            ...problems,
          },
        },
      },
      '/v1/kb/{kbId}/uploads:init': {
        post: {
          summary: 'Announce a file; put its bytes where the answer says, with its headers, then ingest it',
          parameters: [kbId],
          requestBody: body({ name: text, contentType: text, sizeBytes: { type: 'integer' }, sha256: text }, [
            'name',
            'contentType',
            'sizeBytes',
            'sha256',
          ]),
          responses: {
            201: answer('The document, and the request that uploads it: method, url, headers, expiresAt.'),
            ...problems,
          },
        },
      },
      '/v1/kb/{kbId}:ingest': {
        post: {
          summary: 'Have an uploaded document made searchable; a failed one once more',
          parameters: [kbId],
          requestBody: body({ documentId: text }, ['documentId']),
          responses: { 202: answer('The document, as it stands.'), ...problems },
        },
      },
      '/v1/widget/session:init': {
        post: {
          summary:
            'A session of a visitor, for the page of a site that carries the widget (widget/PROTOCOL.md)',
          security: [],
          requestBody: body({ widgetKey: text, handle: text, identity: text }, ['widgetKey']),
          responses: {
            200: answer(
              'token, expiresIn, handle, visitorId, identified, instanceId, graphqlUrl, branding and limits.',
            ),
            ...problems,
          },
        },
      },
      '/v1/widget/session:end': {
        post: {
          summary: 'End a session of a visitor',
          security: [],
          requestBody: body({ handle: text }, ['handle']),
          responses: { 204: { description: 'It is over.' }, ...problems },
        },
      },
      '/v1/runs/{id}:cancel': {
        post: {
          summary: 'Ask a run to stop',
          parameters: [id],
          responses: { 200: answer('The run.'), ...problems },
        },
      },
    },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An OpenID Connect access token or an API key (ask_…).',
        },
      },
      schemas: {
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'code'],
          properties: { type: text, title: text, status: { type: 'integer' }, code: text },
        },
      },
    },
  };
}
