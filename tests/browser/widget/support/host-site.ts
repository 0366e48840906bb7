import fs from 'node:fs';
import path from 'node:path';
import { serve } from '@agentstore/kernel/http/server';
import { silentLog } from '@agentstore/kernel/log';

/** A page of a customer's site. */
export interface HostPage {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy?: string;
}

/** Customers' sites on one origin: pages by their path, and files of the packages that they are made with, under `/vendor/`. */
export interface HostSite {
  readonly origin: string;
  /** Puts a page there, and answers its URL. */
  put(name: string, page: HostPage): string;
  close(): Promise<void>;
}

const packages = path.join(import.meta.dirname, '../../../../node_modules');
const types: Readonly<Record<string, string>> = { '.css': 'text/css', '.js': 'text/javascript' };

export async function openHostSite(port = 0): Promise<HostSite> {
  const pages = new Map<string, HostPage>();
  const server = await serve({
    port,
    log: silentLog,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith('/vendor/') && !pathname.includes('..')) {
        const file = path.join(packages, decodeURIComponent(pathname.slice('/vendor/'.length)));
        return new Response(fs.readFileSync(file), {
          headers: { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' },
        });
      }
      const page = pages.get(pathname);
      if (!page) return new Response('', { status: 404 });
      return new Response(page.html, {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          ...(page.policy ? { 'content-security-policy': page.policy } : {}),
        },
      });
    },
  });
  return {
    origin: server.origin,
    put(name, page) {
      pages.set(`/${name}`, page);
      return `${server.origin}/${name}`;
    },
    close: () => server.close(0),
  };
}
