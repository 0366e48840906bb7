import { problemResponse } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';

/** Refuses request bodies over `most` bytes with 413, with or without a content-length: QUERY_TOO_LARGE for GraphQL, BODY_TOO_LARGE else. */
export function limitBody(app: ServiceApp, most: number): void {
  app.use('*', async (c, next) => {
    const request = c.req.raw;
    const said = request.headers.get('content-length');
    if (Number(said) > most) return tooLarge(c.req.path, most);
    if (request.body && said === null) {
      const body = await request.arrayBuffer();
      if (body.byteLength > most) return tooLarge(c.req.path, most);
      c.req.raw = new Request(request, { method: request.method, body });
    }
    return next();
  });
}

function tooLarge(path: string, most: number): Response {
  const message = `The body may have at most ${most} bytes.`;
  if (path !== '/graphql') return problemResponse({ status: 413, code: 'BODY_TOO_LARGE', title: message });
  return Response.json({ errors: [{ message, extensions: { code: 'QUERY_TOO_LARGE' } }] }, { status: 413 });
}
