import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '@agentstore/kernel/log';
import { signIn } from '../../infra/dev/identity/sign-in.ts';
import { graphClient, type GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import { workspace } from '../../infra/dev/main-job/operations.ts';
import { createProgress } from '../../infra/dev/progress.ts';
import { startStack, type Stack } from '../../infra/dev/stack/stack.ts';
import { freePorts } from '../setup/free-ports.ts';

/** A signed-in person with a workspace. */
export interface Buyer {
  readonly email: string;
  readonly organizationId: string;
  readonly graph: GraphClient;
}

/** The whole store as `npm start` runs it, on free ports, with a PostgreSQL of its own that syncs to disk. */
export interface BenchStore {
  readonly stack: Stack;
  /** A new person, signed in through the provider's form, with a workspace. */
  buyer(): Promise<Buyer>;
  /** Stops everything and removes its files. */
  close(): Promise<void>;
}

export async function openStore(
  say: (text: string) => void,
  parts: { readonly widget?: boolean } = {},
): Promise<BenchStore> {
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-bench-'));
  fs.chmodSync(stateDir, 0o711); // as root the server runs under another account, which has to pass through
  const removeState = (): void => fs.rmSync(stateDir, { recursive: true, force: true });
  const stack = await startStack({
    stateDir,
    ports: await freePorts(),
    runtime: 'dev',
    delayPerTokenMs: 0,
    ...parts,
    log: silentLog,
    progress: createProgress({ write: (text) => say(`  ${text.trimEnd()}`) }),
  }).catch((error: unknown) => {
    removeState();
    throw error;
  });
  const clients: GraphClient[] = [];
  let people = 0;
  return {
    stack,
    async buyer() {
      const email = `bench-${++people}@example.test`;
      const password = 'a password of the bench';
      const { identity } = stack.doubles;
      await identity.addUser({
        email,
        password,
        givenName: 'Bench',
        familyName: `Buyer ${people}`,
        emailVerified: true,
      });
      const { issuer, clientId, audience } = identity;
      const { accessToken } = await signIn({ issuer, clientId, audience, email, password });
      const graph = graphClient({ url: `${stack.publicOrigin}/graphql`, token: accessToken });
      clients.push(graph);
      const { workspaceAuto } = await graph.query<{ workspaceAuto: { organization: { id: string } } }>(
        workspace,
      );
      return { email, organizationId: workspaceAuto.organization.id, graph };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await stack.stop();
      removeState();
    },
  };
}
