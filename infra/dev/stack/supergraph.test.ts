import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '@agentstore/kernel/testing/http';
import { shopSdl } from '../shop/sdl.ts';
import { refreshSupergraph } from './supergraph.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'supergraph-test-'));
const file = path.join(directory, 'supergraph.graphql');
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));
beforeEach(() => fs.rmSync(file, { force: true }));

/** A shop with this SDL. */
const shopWith = async (sdl: string): Promise<string> =>
  (await listen(async () => Response.json({ data: { _service: { sdl } } }))).origin;
const down = 'http://127.0.0.1:1/graphql/';
const clashing = 'type Query { shop: Int } type Wallet { id: Int! }';

it('is composed when the shop answers, once', async () => {
  const shop = await shopWith(shopSdl);
  expect(await refreshSupergraph(file, shop)).toContain('composed');
  expect(await refreshSupergraph(file, shop)).toBe('unchanged');
});

describe.each<[string, () => Promise<string>, RegExp]>([
  ['is down', async () => down, /cannot be reached/],
  ['answers HTML', async () => (await listen(async () => new Response('<html>'))).origin, /not a GraphQL/],
  ['does not fit', () => shopWith(clashing), /do not compose/],
])('a shop that %s', (_name, shop, reason) => {
  it('leaves the last good supergraph, and is named', async () => {
    fs.writeFileSync(file, 'the last good one');
    const said = await refreshSupergraph(file, await shop());
    expect(said).toMatch(/^the last good one: /);
    expect(said).toMatch(reason);
    expect(fs.readFileSync(file, 'utf8')).toBe('the last good one');
  });

  it('is the end where there is none', async () =>
    await expect(refreshSupergraph(file, await shop())).rejects.toThrow(reason));
});
