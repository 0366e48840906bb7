import { problemResponse } from '@agentstore/kernel/http/problem';
import type { BodyLimit } from '@agentstore/kernel/http/server';

/** Request bodies over `most` bytes are refused with 413: QUERY_TOO_LARGE for GraphQL, BODY_TOO_LARGE else. */
export const limitBody = (most: number): BodyLimit => ({
  most,
  tooLarge(path) {
    const message = `The body may have at most ${most} bytes.`;
    if (path !== '/graphql') return problemResponse({ status: 413, code: 'BODY_TOO_LARGE', title: message });
    return Response.json({ errors: [{ message, extensions: { code: 'QUERY_TOO_LARGE' } }] }, { status: 413 });
  },
});
