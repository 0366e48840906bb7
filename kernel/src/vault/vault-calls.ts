import nodeVault from 'node-vault';
import { z } from 'zod';
import { SecretConflict, SecretDenied, SecretMissing, SecretStoreUnavailable } from './secret-store.ts';
import { createVaultTransport } from './transport.ts';

/** A Vault token and how long it is good for, in seconds. */
export interface VaultToken {
  readonly token: string;
  readonly seconds: number;
}

/** The calls of Vault's API that we make, with our types and errors. Paths come without `/v1/`; each call ends when its signal does. */
export interface VaultCalls {
  login(mount: string, role: string, jwt: string, signal: AbortSignal): Promise<VaultToken>;
  readData(path: string, call: VaultCall): Promise<{ version: number; data: Record<string, string> }>;
  /** `cas` is the version that is there now, 0 for none; answers the one written. */
  writeData(
    path: string,
    data: Readonly<Record<string, string>>,
    cas: number,
    call: VaultCall,
  ): Promise<number>;
  removeAll(path: string, call: VaultCall): Promise<void>;
  health(signal: AbortSignal): Promise<{ initialized: boolean; sealed: boolean; standby: boolean }>;
  close(): Promise<void>;
}

interface VaultCall {
  readonly token: string;
  readonly signal: AbortSignal;
}

const loginShape = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number().positive() }),
});
const readShape = z.object({
  data: z.object({ data: z.record(z.string(), z.string()), metadata: z.object({ version: z.int() }) }),
});
const writeShape = z.object({ data: z.object({ version: z.int() }) });
const healthShape = z.object({ initialized: z.boolean(), sealed: z.boolean(), standby: z.boolean() });
const faultShape = z.object({
  message: z.string(),
  response: z.object({ statusCode: z.number() }),
});

/**
 * node-vault on a transport of ours. Everything that is loosely typed of it stays in this file, and so does what it would take from the environment: a token,
 * a namespace, a prefix of paths, and that it prints what it writes.
 */
export function createVaultCalls(origin: string, connectMs: number): VaultCalls {
  const transport = createVaultTransport(origin, connectMs);
  const vault = nodeVault({
    endpoint: origin,
    debug: () => undefined,
    'request-promise': { defaults: () => transport.send },
  });
  Object.assign(vault, { token: '', namespace: '', pathPrefix: '' });

  const withToken = ({ token, signal }: VaultCall) => ({ signal, headers: { 'X-Vault-Token': token } });

  return {
    async login(mount, role, jwt, signal) {
      const path = `auth/${mount}/login`;
      // Not its jwtLogin, which keeps the token of whoever logged in last for every call that has none.
      const answer = await asked(vault.write(path, { role, jwt }, { signal }), (status) =>
        status >= 400 && status < 500 && status !== 429
          ? new SecretDenied(`the secret store refuses the login (${status})`)
          : undefined,
      );
      const { auth } = shaped(loginShape, answer);
      return { token: auth.client_token, seconds: auth.lease_duration };
    },
    async readData(path, call) {
      const { data } = shaped(readShape, await asked(vault.read(path, withToken(call))));
      return { version: data.metadata.version, data: data.data };
    },
    async writeData(path, data, cas, call) {
      const body = { options: { cas }, data };
      return shaped(writeShape, await asked(vault.write(path, body, withToken(call)))).data.version;
    },
    async removeAll(path, call) {
      await asked(vault.delete(path, withToken(call)));
    },
    async health(signal) {
      return shaped(healthShape, await asked(vault.read('sys/health', { signal })));
    },
    close: () => transport.close(),
  };
}

/** What a call answered, or our error for how it failed. Never its own: that holds the answer, and the answer may hold the secret. */
async function asked(
  call: Promise<unknown>,
  faultOf: (status: number, message: string) => Error | undefined = standardFault,
): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof SecretStoreUnavailable) throw error;
    const { success, data } = faultShape.safeParse(error);
    if (!success) throw new SecretStoreUnavailable('the client of the secret store failed');
    const { statusCode } = data.response;
    throw (
      faultOf(statusCode, data.message) ??
      new SecretStoreUnavailable(`the secret store answered ${statusCode}`)
    );
  }
}

function standardFault(status: number, message: string): Error | undefined {
  if (status === 403) return new SecretDenied('the secret store refuses this path');
  if (status === 404) return new SecretMissing('there is no such secret');
  if (status === 400 && message.includes('check-and-set parameter did not match'))
    return new SecretConflict('another version of the secret was written meanwhile');
  return undefined;
}

function shaped<Shape extends z.ZodType>(shape: Shape, answer: unknown): z.output<Shape> {
  const { success, data } = shape.safeParse(answer);
  if (!success) throw new SecretStoreUnavailable('the secret store answered in an unknown form'); // zod's words could quote it
  return data;
}
