import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { problemResponse } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Deps } from '../deps.ts';

/** Smallest first. */
const encodings = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

const open = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
};
const forEver = 'public, max-age=31536000, immutable';
const revalidated = 'public, max-age=300, must-revalidate';

/** The built widget for pages of other sites (widget/PROTOCOL.md §5), as `widget/build.ts` lays it out, with compressed files beside; and the way to the page that shows it. */
export function widgetFileRoutes(app: ServiceApp, { widget }: Pick<Deps, 'widget'>): void {
  const { dir, demoUrl } = widget;
  app.get('/widget/demo', () => (demoUrl ? Response.redirect(demoUrl, 302) : nothing()));
  if (!dir) return;
  app.get('/widget/versions.json', (c) => serve(c.req.raw, path.join(dir, 'versions.json'), revalidated));
  app.get('/widget/assets/:file', (c) => {
    const file = c.req.param('file');
    // Names of the bundler's making only: no path leads out of the folder.
    if (!/^[\w-]+\.[\w-]+\.js$/.test(file)) return nothing();
    return serve(c.req.raw, path.join(dir, 'assets', file), forEver);
  });
  app.get('/widget/:version/loader.js', (c) => {
    const version = c.req.param('version');
    if (!/^v\d+$|^\d+\.\d+\.\d+$/.test(version)) return nothing();
    const file = path.join(dir, version, 'loader.js');
    return serve(c.req.raw, file, version.startsWith('v') ? revalidated : forEver);
  });
}

async function serve(request: Request, file: string, cacheControl: string): Promise<Response> {
  const plain = await contentOf(file);
  if (!plain) return nothing();
  const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  const headers: Record<string, string> = {
    ...open,
    etag,
    vary: 'Accept-Encoding',
    'cache-control': cacheControl,
  };
  const known = (request.headers.get('if-none-match') ?? '').split(',').map((one) => one.trim());
  if (known.some((one) => one === '*' || one.replace(/^(W\/)?/, 'W/') === etag))
    return new Response(null, { status: 304, headers });
  headers['content-type'] =
    path.extname(file) === '.json' ? 'application/json' : 'text/javascript; charset=utf-8';
  const wanted = encodingsOf(request.headers.get('accept-encoding') ?? '');
  for (const { name, suffix } of encodings) {
    const compressed = wanted.has(name) ? await contentOf(file + suffix) : undefined;
    if (compressed) return new Response(compressed, { headers: { ...headers, 'content-encoding': name } });
  }
  return new Response(plain, { headers });
}

/** Codings that a client takes; one with `q=0` it does not. */
const encodingsOf = (header: string): ReadonlySet<string> =>
  new Set(
    header
      .toLowerCase()
      .split(',')
      .map((one) => one.split(';').map((part) => part.trim()))
      .filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? ''))
      .map(([name]) => name ?? ''),
  );

const nothing = (): Response =>
  problemResponse({ status: 404, code: 'NOT_FOUND', title: 'There is no such file of the widget.' }, open);

async function contentOf(file: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
