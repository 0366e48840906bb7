/** Headers that a browser sends to another site only after asking it (CORS preflight): any of them shows that no page forged the request. */
const preflighted = [
  'authorization',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'graphql-require-preflight',
];

/** Why a GraphQL request may have been forged by a page of another site; undefined when it cannot have been. */
export function forgeryOf(
  request: Request,
): { readonly status: number; readonly code: string; readonly message: string } | undefined {
  if (request.method === 'POST')
    return /^application\/(graphql\+)?json\b/i.test(request.headers.get('content-type') ?? '')
      ? undefined
      : { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send JSON.' };
  if (request.method !== 'GET' || preflighted.some((name) => request.headers.has(name))) return undefined;
  return {
    status: 400,
    code: 'PREFLIGHT_REQUIRED',
    message: `A GET request needs one of the headers ${preflighted.join(', ')}.`,
  };
}
