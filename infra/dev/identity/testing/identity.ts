import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { noteRealServer } from '@agentstore/kernel/testing/real-servers';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { startIdentity, type Identity } from '../identity.ts';

/** A provider on a database and state directory of the test file's own; `current` is set once `beforeAll` ran. */
export function useIdentity(): { readonly current: Identity; readonly stateDir: string } {
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-identity-'));
  let identity: Identity | undefined;
  beforeAll(async () => {
    const { url: databaseUrl } = await testDatabase();
    identity = await startIdentity({
      port: 0,
      stateDir,
      databaseUrl,
      publicOrigin: 'http://127.0.0.1:4000',
      log: silentLog,
    });
    noteRealServer('oidc-provider 9.13.3');
  });
  afterAll(async () => {
    await identity?.stop();
    fs.rmSync(stateDir, { recursive: true });
  });
  return {
    stateDir,
    get current() {
      if (!identity) throw new Error('the provider starts in beforeAll');
      return identity;
    },
  };
}
