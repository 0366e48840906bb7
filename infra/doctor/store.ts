import fs from 'node:fs';
import path from 'node:path';
import { Client as ObjectClient } from 'minio';
import { z } from 'zod';
import { findMigrations } from '@agentstore/kernel/db/migrate';
import type { DevDescription } from '../dev/state/description.ts';
import type { DevSecrets } from '../dev/state/secrets.ts';
import { ask } from './ask.ts';
import type { Check } from './check.ts';
import { databaseChecks } from './database.ts';
import { desiredStateCheck } from './desired-state.ts';

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url(), token_endpoint: z.url() });
const keySetSchema = z.object({ keys: z.array(z.object({ kty: z.string() })).min(1) });

/** Everything that a store which `npm start` brought up needs to do its job. */
export function storeChecks(
  { urls, directories, oidc }: Pick<DevDescription, 'urls' | 'directories' | 'oidc'>,
  secrets: Pick<DevSecrets, 'objects'>,
): readonly Check[] {
  const restart = 'see its lines in agentstore.log beside dev.json; npm start brings it back';
  return [
    {
      name: 'router',
      mend: `a part it names is down: ${restart}`,
      async look() {
        const answer = await ask(`${urls.origin}/readiness`);
        if (answer.status !== 200)
          throw new Error(z.object({ title: z.string() }).parse(await answer.json()).title);
        return `${urls.origin} is ready, with all subgraphs and gitops`;
      },
    },
    { name: 'GraphQL', mend: restart, look: () => asksGraph(urls.graphql) },
    { name: 'graphql-ws', mend: restart, look: () => opensSocket(urls.graphqlWs) },
    { name: 'REST', mend: restart, look: () => answers(urls.openApi) },
    { name: 'shop', mend: restart, look: () => asksGraph(urls.shop) },
    {
      name: 'identity',
      mend: `nobody can sign in while its discovery or keys cannot be had: ${restart}`,
      async look() {
        const answer = await ask(`${oidc.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
        const found = discoverySchema.parse(await answer.json());
        if (found.issuer !== oidc.issuer)
          throw new Error(`it calls itself ${found.issuer}, not ${oidc.issuer}`);
        const { keys } = keySetSchema.parse(await (await ask(found.jwks_uri)).json());
        return `${oidc.issuer}, a key set of ${keys.length}`;
      },
    },
    {
      name: 'object storage',
      mend: `instances wait PROVISIONING and runs do not start without it: ${restart}`,
      look: () => findsBucket(urls.objects, secrets),
    },
    {
      name: 'flow runtime',
      mend: `runs end RUNTIME_UNAVAILABLE without it: ${restart}`,
      look: () => answers(`${urls.runtime}/health`),
    },
    {
      name: 'tool gateway',
      mend: `flows can call no tool without it: ${restart}`,
      look: () => answers(`${urls.tools}/readiness`),
    },
    {
      name: 'secret store',
      mend: `tools that need a secret are refused without it, SECRET_STORE_UNAVAILABLE; unseal it, or ${restart}`,
      look: () => isUnsealed(urls.vault),
    },
    ...databaseChecks(urls.database, findMigrations(path.join(import.meta.dirname, '../..'))),
    desiredStateCheck({ databaseUrl: urls.database, directory: directories.git, branch: 'main' }),
  ];
}

/** The secrets of a state directory as they are; making them is for `npm start`. */
export const readSecrets = (stateDir: string): DevSecrets =>
  JSON.parse(fs.readFileSync(path.join(stateDir, 'secrets.json'), 'utf8')) as DevSecrets;

async function answers(url: string): Promise<string> {
  const { ok, status } = await ask(url);
  if (!ok) throw new Error(`${url} answers ${status}`);
  return url;
}

async function isUnsealed(url: string): Promise<string> {
  const { status } = await ask(`${url}/v1/sys/health`);
  if (status === 503) throw new Error(`${url} is sealed`);
  if (status !== 200) throw new Error(`${url} answers ${status}`);
  return `${url}, unsealed`;
}

async function asksGraph(url: string): Promise<string> {
  const answer = await ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  const text = await answer.text();
  if (!answer.ok || !text.includes('"Query"'))
    throw new Error(`${url} answers ${answer.status}: ${text.slice(0, 200)}`);
  return url;
}

function opensSocket(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    socket.addEventListener('open', () => {
      socket.close();
      resolve(url);
    });
    socket.addEventListener('error', () => reject(new Error(`${url} takes no connection`)));
  });
}

async function findsBucket(url: string, { objects }: Pick<DevSecrets, 'objects'>): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  const client = new ObjectClient({
    endPoint: hostname,
    port: Number(port),
    useSSL: protocol === 'https:',
    region: 'us-east-1',
    ...objects,
  });
  for (const bucket of ['artifacts', 'knowledge'])
    if (!(await client.bucketExists(bucket))) throw new Error(`${url} has no bucket "${bucket}"`);
  return `${url}, buckets "artifacts" and "knowledge"`;
}
