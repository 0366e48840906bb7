/** A fetch handler that also says it is ready. */
export const withReadiness =
  (handle: (request: Request) => Promise<Response>) =>
  async (request: Request): Promise<Response> =>
    new URL(request.url).pathname === '/readiness' ? Response.json({ status: 'ready' }) : handle(request);
