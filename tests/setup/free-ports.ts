import { freePort } from '@agentstore/kernel/testing/free-port';
import { preferredPorts, type Part, type Ports } from '../../infra/dev/state/ports.ts';

/** A free port for each part of the embedded stack, no two the same. */
export async function freePorts(): Promise<Ports> {
  const ports: Partial<Ports> = {};
  for (const part of Object.keys(preferredPorts) as Part[]) ports[part] = await freePort();
  return ports as Ports;
}
