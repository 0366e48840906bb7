import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Below those that systems give to whoever connects or asks for any port: one of these may be taken before somebody listens on it. Each process of vitest
 * has a part of them of its own, so that none is found free by two at the same time.
 */
const [lowest, highest] = [15_000, 32_000];
const parts = 8;
const size = Math.floor((highest - lowest) / parts / 2) * 2;
const first = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * size;
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that nobody listens on and that nobody in this process was given before: what will listen there may not listen yet. It is even, and the
 * one above it is given to nobody.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + 2 * randomInt(size / 2);
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
