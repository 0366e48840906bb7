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
  vault: 4008,
  tools: 4009,
  upstreams: 4010,
  site: 4011,
} as const;

export type Part = keyof typeof preferredPorts;
export type Ports = Record<Part, number>;

/** Parts whose address is written into data, and by whom: once there are data they stay where they are. */
const keptBy: Partial<Record<Part, string>> = {
  identity: 'people and organizations are known by the issuer at this address',
  shop: 'the provisioner is an app of the shop at this address',
  provisioner: 'the shop sends its webhooks to this address',
  model: 'the published flows call the model at this address',
  tools: 'the published flows call the tool gateway at this address',
  upstreams: 'the demo connectors call their servers at this address',
  site: "the demo agent's widget is allowed on this address",
};

/** The store cannot have the ports it needs; the message says which, and what to do. */
export class PortsUnavailable extends Error {
  override readonly name = 'PortsUnavailable';
}

/** What stands in the way of listening on a port; undefined when nothing does. */
export type Probe = (port: number) => Promise<'taken' | 'not allowed' | undefined>;

const parts = Object.keys(preferredPorts) as Part[];
const lastPort = 65_535;
const fileIn = (stateDir: string): string => path.join(stateDir, 'ports.json');

/**
 * A port for every part: the one of the last start, or the preferred one. One that is taken moves to the next free one that no other part has
 * or likes, which `moved` is told with the reason. Throws PortsUnavailable when a part may not move: its address is in the data.
 */
export async function choosePorts(
  stateDir: string,
  options: {
    router?: number;
    moved: (part: Part, port: number, reason: string) => void;
    probe?: Probe;
  },
): Promise<Ports> {
  const probe = options.probe ?? probePort;
  const kept = keptPorts(stateDir);
  const wished: Ports = { ...preferredPorts, ...kept };
  const ownerOf = new Map(parts.map((part) => [wished[part], part]));
  if (options.router !== undefined) wished.router = options.router;
  const chosen: Partial<Ports> = {};
  const refusals: string[] = [];

  // First those that cannot move, then the one that was asked for, so that the others make room for them.
  const mayNotMove = kept ? parts.filter((part) => keptBy[part] && kept[part] !== undefined) : [];
  for (const part of mayNotMove) {
    const hindrance = await probe(wished[part]);
    if (hindrance) refusals.push(`port ${wished[part]} is ${hindrance}, and ${keptBy[part]} (${part})`);
    chosen[part] = wished[part];
  }
  if (refusals.length)
    throw new PortsUnavailable(
      `${refusals.join('; ')}. Free ${refusals.length === 1 ? 'it' : 'them'} and start again, or start another store with --state DIR.`,
    );
  for (const part of parts.filter((one) => !mayNotMove.includes(one))) {
    const isAskedFor = part === 'router' && options.router !== undefined;
    const others = new Set(Object.values(chosen));
    for (const [port, owner] of ownerOf) if (owner !== part) others.add(port);
    if (part !== 'router' && options.router !== undefined) others.add(options.router);
    // The port that was asked for may be one that another part only likes; that part moves.
    const mine = isAskedFor && !Object.values(chosen).includes(wished[part]);
    const hindrance = await probe(wished[part]);
    if (hindrance === 'not allowed')
      throw new PortsUnavailable(`this account may not listen on port ${wished[part]}: give another --port`);
    if (!hindrance && (mine || !others.has(wished[part]))) {
      chosen[part] = wished[part];
      continue;
    }
    const port = await nextFree(wished[part], others, probe);
    chosen[part] = port;
    options.moved(
      part,
      port,
      hindrance ? `port ${wished[part]} is taken` : `port ${wished[part]} is another part's`,
    );
  }
  return chosen as Ports;
}

/** The ports that this state's data were made with; undefined before there are data. */
function keptPorts(stateDir: string): Partial<Ports> | undefined {
  const file = fileIn(stateDir);
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Ports>) : undefined;
}

/** Keeps the ports for the next starts. To be called when every part listens, and before an address is written into data. */
export const keepPorts = (stateDir: string, ports: Ports): void =>
  writeAtomically(fileIn(stateDir), JSON.stringify(ports, null, 2));

/** Of the ports just above a part's, the one with the most room up to the next part's: for a server that goes upwards from its port when that is not free at once. */
export function roomiestPort(ports: Ports): number {
  const taken = Object.values(ports).toSorted((one, other) => one - other);
  const rooms = taken.map((port, at) => (taken[at + 1] ?? lastPort + 1) - port);
  return taken[rooms.indexOf(Math.max(...rooms))]! + 1;
}

async function nextFree(from: number, others: ReadonlySet<number>, probe: Probe): Promise<number> {
  for (let port = from + 1; port <= lastPort; port += 1)
    if (!others.has(port) && !(await probe(port))) return port;
  throw new PortsUnavailable(`no port from ${from} up to ${lastPort} is free: give a lower --port`);
}

const probePort: Probe = (port) =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES') resolve('not allowed');
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
