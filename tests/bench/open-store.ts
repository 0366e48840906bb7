import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { signIn } from '../../infra/dev/identity/sign-in.ts';
import { createProgress } from '../../infra/dev/progress.ts';
import { startStack, type Stack } from '../../infra/dev/stack/stack.ts';
import { preferredPorts, type Part, type Ports } from '../../infra/dev/state/ports.ts';

/** A store of the bench's own: durable PostgreSQL, free ports, nothing kept. */
export interface BenchStore {
  readonly stack: Stack;
  readonly graphqlUrl: string;
  signUp(): Promise<{ email: string; token: string }>;
  close(): Promise<void>;
}

export async function openBenchStore(): Promise<BenchStore> {
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-bench-'));
  fs.chmodSync(stateDir, 0o711);
  const ports = Object.fromEntries(
    await Promise.all((Object.keys(preferredPorts) as Part[]).map(async (part) => [part, await freePort()])),
  ) as Ports;
  const stack = await startStack({
    stateDir,
    ports,
    runtime: 'dev',
    delayPerTokenMs: 0,
    log: silentLog,
    progress: createProgress({ write: () => undefined }),
  });
  let people = 0;
  return {
    stack,
    graphqlUrl: `${stack.publicOrigin}/graphql`,
    async signUp() {
      const email = `bench${++people}@example.test`;
      const password = 'a password of the bench';
      const { issuer, clientId, audience, addUser } = stack.doubles.identity;
      await addUser({ email, password, givenName: 'Bench', familyName: String(people), emailVerified: true });
      return { email, token: (await signIn({ issuer, clientId, audience, email, password })).accessToken };
    },
    async close() {
      await stack.stop();
      fs.rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
