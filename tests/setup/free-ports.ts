import { freePort } from '@agentstore/kernel/testing/free-port';
import { preferredPorts, type Part, type Ports } from '../../infra/dev/state/ports.ts';

const given = new Set<number>();

/** A free port that nobody in this process was given before: what will listen there may not listen yet. */
export async function distinctPort(): Promise<number> {
  let port = await freePort();
  while (given.has(port)) port = await freePort();
  given.add(port);
  return port;
}

/** A free port for each part of the embedded stack, no two the same. */
export async function freePorts(): Promise<Ports> {
  const ports: Partial<Ports> = {};
  for (const part of Object.keys(preferredPorts) as Part[]) ports[part] = await distinctPort();
  return ports as Ports;
}
