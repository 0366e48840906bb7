import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { serve, type HttpServer } from '@agentstore/kernel/http/server';
import type { Log } from '@agentstore/kernel/log';

const here = import.meta.dirname;
const pages: Readonly<Record<string, string>> = { '/': 'index.html', '/help': 'help.html' };

/**
 * A customer's website, on an origin of its own: it carries the widget as any site would, by the snippet of docs/widget.md, under a policy that allows nothing
 * inline and enforces Trusted Types. `widgetKey` is asked for with each page; while there is none the page says so.
 */
export const startCustomerSite = (options: {
  readonly port: number;
  /** Public origin of the store. */
  readonly store: string;
  readonly widgetKey: () => string | undefined;
  readonly log: Log;
}): Promise<HttpServer> =>
  serve({
    port: options.port,
    log: options.log,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/site.css')
        return answer(fs.readFileSync(path.join(here, 'site.css'), 'utf8'), 'text/css');
      if (pathname === '/favicon.ico') return new Response(null, { status: 204 });
      const file = pages[pathname];
      if (!file) return new Response('There is no such page.', { status: 404 });
      const nonce = randomBytes(16).toString('base64');
      const values: Record<string, string> = {
        nonce,
        store: options.store,
        widgetKey: options.widgetKey() ?? '',
        state: options.widgetKey() ? 'ready' : 'unset',
      };
      const html = fs
        .readFileSync(path.join(here, file), 'utf8')
        .replace(/\{\{(\w+)\}\}/g, (_all, name: string) => values[name] ?? '');
      return answer(html, 'text/html', policyOf(options.store, nonce));
    },
  });

/** What a careful site allows: scripts by nonce, styles from files, and the store to connect to. */
const policyOf = (store: string, nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self'",
    "style-src-attr 'none'",
    "img-src 'self' https:",
    `connect-src ${store} ${store.replace(/^http/, 'ws')}`,
    "require-trusted-types-for 'script'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const answer = (body: string, type: string, policy?: string): Response =>
  new Response(body, {
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      ...(policy ? { 'content-security-policy': policy } : {}),
    },
  });
