import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { writeAtomically } from './secrets.ts';

/** Every listening part of the embedded stack and the port it likes best. */
export const preferredPorts = {
  router: 4000,
  identity: 4001,
  shop: 4002,
  provisioner: 4003,
  objects: 4004,
  runtime: 4005,
  model: 4006,
  postgres: 4007,
} as const;

export type Part = keyof typeof preferredPorts;
export type Ports = Record<Part, number>;

/**
 * A port for every part: the one of the last start, or the preferred one; a taken port moves to the next free one, which `moved` is told.
 * Kept in the state directory, so that URLs survive a restart.
 */
export async function choosePorts(
  stateDir: string,
  options: { router?: number; moved: (part: Part, from: number, to: number) => void },
): Promise<Ports> {
  const file = path.join(stateDir, 'ports.json');
  const last = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Ports>) : {};
  const chosen = new Set<number>();
  const ports: Partial<Ports> = {};
  for (const part of Object.keys(preferredPorts) as Part[]) {
    const wished = (part === 'router' ? options.router : undefined) ?? last[part] ?? preferredPorts[part];
    let port = wished;
    while (chosen.has(port) || !(await isFree(port))) port += 1;
    if (port !== wished) options.moved(part, wished, port);
    chosen.add(port);
    ports[part] = port;
  }
  writeAtomically(file, JSON.stringify(ports, null, 2));
  return ports as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
