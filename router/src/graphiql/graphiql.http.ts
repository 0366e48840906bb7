import fs from 'node:fs/promises';
import path from 'node:path';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Deps } from '../deps.ts';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
};

/**
 * GraphiQL at /graphiql, from the folder that `npm run build` made: nothing of it comes from elsewhere, and its policy lets nothing in. Only inline styles and
 * fonts as data are allowed beyond our own origin, which Monaco needs, and the issuer, for tokens.
 */
export function graphiqlRoutes(app: ServiceApp, { graphiql, issuer, publicOrigin }: Deps): void {
  if (!graphiql) return;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    `connect-src 'self' ${publicOrigin.replace(/^http/, 'ws')} ${new URL(issuer.url).origin}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

  const page = async (): Promise<Response> => {
    const html = await contentOf(path.join(graphiql.dir, 'index.html'));
    if (!html)
      return problemResponse({
        status: 503,
        code: 'NOT_BUILT',
        title: 'GraphiQL is not built here: npm run build.',
      });
    return new Response(html, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      },
    });
  };
  app.get('/graphiql', page);
  app.get('/graphiql/callback', page);
  app.get('/graphiql/settings.json', () =>
    json({ issuer: issuer.url, clientId: graphiql.clientId, audience: issuer.audience }),
  );
  app.get('/graphiql/assets/:build/:file', async (c) => {
    const { build, file } = c.req.param();
    // Names of the bundler's making only: no path leads out of the folder.
    const known = /^[0-9a-f]{16}$/.test(build) && /^[\w.-]+\.(js|css|ttf)$/.test(file);
    const content = known && (await contentOf(path.join(graphiql.dir, 'assets', build, file)));
    if (!content)
      return problemResponse({ status: 404, code: 'NOT_FOUND', title: 'There is no such asset.' });
    return new Response(content, {
      headers: {
        'content-type': types[path.extname(file)]!,
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        // A worker is ruled by the policy of its own script.
        'content-security-policy': policy,
      },
    });
  });
}

async function contentOf(file: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
