import { randomInt } from 'node:crypto';
import net from 'node:net';
import { preferredPorts, type Part, type Ports } from '../../infra/dev/state/ports.ts';

const given = new Set<number>();
/** Below those that systems give to whoever connects or asks for any port: one of these may be taken before somebody listens on it. */
const [lowest, highest] = [15_000, 32_000];

/** A free port that nobody in this process was given before: what will listen there may not listen yet. */
export async function distinctPort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** A free port for each part of the embedded stack, no two the same. */
export async function freePorts(): Promise<Ports> {
  const ports: Partial<Ports> = {};
  for (const part of Object.keys(preferredPorts) as Part[]) ports[part] = await distinctPort();
  return ports as Ports;
}
