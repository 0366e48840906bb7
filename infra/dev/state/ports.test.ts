import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  choosePorts,
  keepPorts,
  PortsUnavailable,
  preferredPorts,
  roomiestPort,
  type Probe,
} from './ports.ts';

let stateDir: string;
beforeEach(() => void (stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-ports-'))));
afterEach(() => fs.rmSync(stateDir, { recursive: true, force: true }));

const without =
  (...taken: number[]): Probe =>
  (port) =>
    Promise.resolve(taken.includes(port) ? 'taken' : undefined);
const choose = async (probe: Probe, router?: number) => {
  const said: string[] = [];
  const ports = await choosePorts(stateDir, {
    probe,
    ...(router === undefined ? {} : { router }),
    moved: (part, port, reason) => void said.push(`${reason}: ${part} is on ${port}`),
  });
  return { ports, said };
};

describe('at the first start', () => {
  it('each part has the port it likes', async () => {
    expect(await choose(without())).toEqual({ ports: preferredPorts, said: [] });
  });

  it('a taken port moves its own part only, past what the others like', async () => {
    const { ports, said } = await choose(without(4000));
    expect(ports).toEqual({ ...preferredPorts, router: 4012 });
    expect(said).toEqual(['port 4000 is taken: router is on 4012']);
  });

  it('the port that was asked for is the router’s, and says so to who liked it', async () => {
    const { ports, said } = await choose(without(), 4002);
    expect(ports).toEqual({ ...preferredPorts, router: 4002, shop: 4012 });
    expect(said).toEqual(["port 4002 is another part's: shop is on 4012"]);
  });

  it('keeps nothing until it is told that all parts listen', async () => {
    await choose(without(4003));
    expect((await choose(without())).ports).toEqual(preferredPorts);
  });

  it('says that there is no port left, and that a port is not for this account', async () => {
    await expect(choose(without(65_535), 65_535)).rejects.toThrow('no port from 65535 up to 65535 is free');
    await expect(
      choose((port) => Promise.resolve(port === 80 ? 'not allowed' : undefined), 80),
    ).rejects.toThrow('may not listen on port 80');
  });
});

describe('once there are data', () => {
  const kept = { ...preferredPorts, router: 4300, provisioner: 4010, postgres: 4020 };
  beforeEach(() => keepPorts(stateDir, kept));

  it('each part has the port of the last start', async () => {
    expect((await choose(without())).ports).toEqual(kept);
  });

  it.each(['router', 'objects', 'runtime', 'postgres'] as const)('%s may move', async (part) => {
    const { ports } = await choose(without(kept[part]));
    expect(ports[part]).not.toBe(kept[part]);
    expect({ ...ports, [part]: 0 }).toEqual({ ...kept, [part]: 0 });
  });

  it.each(['identity', 'shop', 'provisioner', 'model', 'tools', 'upstreams', 'site'] as const)(
    '%s may not: the start is refused with what needs the port',
    async (part) => {
      const refused = choose(without(kept[part]));
      await expect(refused).rejects.toThrow(PortsUnavailable);
      await expect(refused).rejects.toThrow(new RegExp(`port ${kept[part]} is taken, and .*\\(${part}\\)`));
      expect((await choose(without())).ports).toEqual(kept);
    },
  );

  it('a router asked onto a port that cannot be given up goes past it', async () => {
    const { ports, said } = await choose(without(), 4001);
    expect(ports).toEqual({ ...kept, router: 4003 });
    expect(said).toEqual(["port 4001 is another part's: router is on 4003"]);
  });
});

it('a part that was added after the data were made moves like any other', async () => {
  const { tools: _later, ...before } = preferredPorts;
  keepPorts(stateDir, before as typeof preferredPorts);
  const { ports } = await choose(without(4009));
  expect(ports).toEqual({ ...preferredPorts, tools: 4012 });
});

it('really asks the system whether a port is taken', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  const ports = await choosePorts(stateDir, { router: port, moved: () => undefined });
  server.close();
  expect(ports.router).toBeGreaterThan(port);
});

it.each([
  ['above all of them', preferredPorts, 4012],
  ['between two that are far apart', { ...preferredPorts, router: 65_535 }, 4012],
  ['above the one that is apart', { ...preferredPorts, router: 9_000, runtime: 9_001 }, 9_002],
])('who goes upwards has the most room %s', (_where, ports, roomiest) => {
  expect(roomiestPort(ports)).toBe(roomiest);
});
