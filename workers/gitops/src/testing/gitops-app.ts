import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, expect } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { serviceCaller, testTrust } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import { openRepository, type FileChanges } from '../writer/repository.ts';
import { createSmallControlPlane } from './small-control-plane.ts';

/** A line of the watch. */
export interface WatchEvent {
  readonly type: string;
  readonly resourceVersion: string;
  readonly object: { readonly kind: string; readonly instanceId: string; readonly generation: number };
}

/** A repository and a database beside a small control plane, on which a test starts as many gitops workers as it likes. */
export async function openGitops() {
  const made = await openTestDatabase('gitops');
  const trust = await testTrust('gitops');
  const directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'gitops-')), 'bare.git');
  const repository = await openRepository({ directory, branch: 'main' });
  const controlPlane = createSmallControlPlane();
  const running = new Set<App>();
  const stop = async (app: App): Promise<void> => {
    running.delete(app);
    await app.stop();
  };
  afterAll(async () => {
    await Promise.all([...running].map(stop));
    fs.rmSync(path.dirname(directory), { recursive: true });
  });
  return {
    ...made,
    directory,
    repository,
    controlPlane,
    async start(more: Partial<Deps> = {}): Promise<App> {
      const app = createApp({
        db: made.database,
        authenticate: trust.authenticate,
        log: silentLog,
        controlPlane: createServiceClient({
          name: 'control-plane',
          baseUrl: 'http://control-plane',
          send: controlPlane.fetch,
        }),
        repository: directory,
        branch: 'main',
        environment: 'dev',
        artifactIsThere: async () => true,
        ...more,
      });
      running.add(app);
      await app.start();
      return app;
    },
    stop,
    /** Somebody else's push. */
    push: (files: FileChanges) =>
      repository.commit(files, 'by hand', { name: 'Else', email: 'else@example.test' }),
    folderOf(instanceId: string): string {
      const { organizationSlug, projectSlug } = controlPlane.instances.get(instanceId)!.state;
      return `clusters/dev/instances/${organizationSlug}/${projectSlug}/${instanceId}`;
    },
    get: async (app: App, address: string, signal?: AbortSignal): Promise<Response> =>
      app.fetch(
        new Request(`http://gitops${address}`, {
          headers: { authorization: await trust.bearer(serviceCaller('applied:read')) },
          ...(signal ? { signal } : {}),
        }),
      ),
    /** What a watch says until that many events came. */
    async watch(app: App, query: string, count: number): Promise<WatchEvent[]> {
      const leaving = new AbortController();
      const answer = await this.get(app, `/applied:watch?${query}`, leaving.signal);
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (text.split('\n').length <= count) text += (await reader.read()).value ?? '';
      leaving.abort();
      await reader.cancel().catch(() => undefined);
      return text
        .split('\n')
        .slice(0, count)
        .map((line) => JSON.parse(line) as WatchEvent);
    },
    /** Behind row-level security, as the superuser. */
    async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
      const client = new pg.Client({
        connectionString: made.adminUrl,
        options: '-c search_path=gitops,public',
      });
      await client.connect();
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
}
export type Gitops = Awaited<ReturnType<typeof openGitops>>;

/** Waits until it is so. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(check).toBe(true);
}
