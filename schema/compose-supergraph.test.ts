import fs from 'node:fs';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLSchema,
} from 'graphql';
import { freePort } from '../kernel/src/testing/free-port.ts';
import { CompositionError, composeSupergraph, composeToFile } from './compose-supergraph.ts';
import { fetchSaleorSdl, ownSubgraphs, saleorName, subgraphNames, untriedVersion } from './subgraphs.ts';
import { readDescriptions } from './testing/descriptions.ts';
import { runCommand, serving, servingSdl } from './testing/servers.ts';

const recorded = path.join(import.meta.dirname, '../../shared/data/saleor/saleor-3.22-federated.graphql');
const there = fs.existsSync(recorded);
if (!there)
  process.stderr.write(
    "SALEOR'S RECORDED SCHEMA IS MISSING (../shared/data/saleor): composition with it was not checked\n",
  );

const temporaryFile = (name: string): string =>
  path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'schema-')), name);

it('has the recorded schema where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

describe.runIf(there)('the whole schema of a running Saleor 3.22', () => {
  it('composes with our subgraphs under 20 s and 2 GiB, and everything of ours in it has a description', async () => {
    const saleor = await servingSdl(fs.readFileSync(recorded, 'utf8'));
    const file = temporaryFile('supergraph.graphql');
    // The heap has a bound of its own: what does not fit is an error of the process, not a slow machine.
    const { code, stdout, stderr, seconds, cpuSeconds, maxRssMiB } = await runCommand(
      'compose',
      ['--saleor-url', saleor.url, '--out', file],
      { heapMiB: 1_536 },
    ).finally(() => saleor.close());
    process.stdout.write(
      `composed with the whole Saleor in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of a processor) and ${Math.round(maxRssMiB)} MiB\n`,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `composed ${file}\n`, stderr: '' });
    // What it costs, not what else the machine does meanwhile.
    expect(cpuSeconds).toBeLessThan(20);
    expect(maxRssMiB).toBeGreaterThan(0);
    expect(maxRssMiB).toBeLessThan(2_048);

    const supergraph = fs.readFileSync(file, 'utf8');
    expect(supergraph).toContain('type Instance');
    expect(supergraph).toContain('type Checkout');
    const { counted, missing, uncodedErrors } = readDescriptions(supergraph, subgraphNames);
    expect(missing).toEqual([]);
    // workspaceAuto refuses nobody by its payload: there is no code to describe.
    expect(uncodedErrors).toEqual(['WorkspaceError.code']);
    // That it was looked at: a type, a field, an argument, an input field, a value, error codes, and what we add to the shop's own types.
    expect(counted).toEqual(
      expect.arrayContaining([
        'Instance',
        'Product.offering',
        'Order.instances',
        'ProductVariant.plan',
        'Query.offering(slug:)',
        'RunStartInput.idempotencyKey',
        'InstanceState.ACTIVE',
        'RunCommandErrorCode.INSUFFICIENT_CREDITS',
      ]),
    );
    expect(counted).not.toContain('Checkout');
    expect(counted.length).toBeGreaterThan(400);
  }, 60_000);
});

it('finds what has no description, in our part of a supergraph alone', () => {
  const bare = `
    """Asks.""" type Query { """One.""" one(
      which: Kind): OneError """Two.""" two(in: In): Int }
    enum Kind { """A.""" A B }
    """In.""" input In { x: Int }
    """Why.""" type OneError { """Code.""" code: String }`;
  const theirs = 'type Query { theirs(undescribed: Int): Theirs } type Theirs { id: ID }';
  const { missing, uncodedErrors } = readDescriptions(
    composeSupergraph([
      { name: 'our-own', sdl: bare },
      { name: 'theirs', sdl: theirs },
    ]),
    ['our-own'],
  );
  expect(missing.toSorted()).toEqual(['In.x', 'Kind', 'Kind.B', 'Query.one(which:)', 'Query.two(in:)']);
  expect(uncodedErrors).toEqual(['OneError.code']);
});

it('names both sides of a clash, keeps the last good file, and does not compose what has not changed', () => {
  const file = temporaryFile('supergraph.graphql');
  expect(composeToFile(ownSubgraphs(), file)).toBe(true);
  expect(composeToFile(ownSubgraphs(), file)).toBe(false);
  const good = fs.readFileSync(file, 'utf8');
  const clash = [
    ...ownSubgraphs(),
    { name: 'stranger', sdl: 'type Query { hello: String } enum Wallet { A }' },
  ];
  expect(() => composeToFile(clash, file)).toThrow(CompositionError);
  expect(() => composeToFile(clash, file)).toThrow(
    /Wallet[\s\S]*(billing[\s\S]*stranger|stranger[\s\S]*billing)/,
  );
  expect(fs.readFileSync(file, 'utf8')).toBe(good);
});

describe('a server that is no federated Saleor is told by a sentence', () => {
  const json = { 'content-type': 'application/json' };
  it.each<[string, (answer: http.ServerResponse) => void, RegExp]>([
    [
      'HTML',
      (answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /200 text\/html: not a GraphQL endpoint/,
    ],
    [
      'JSON that breaks off',
      (answer) => answer.writeHead(200, json).end('{"data":'),
      /not a GraphQL endpoint/,
    ],
    [
      'no _service',
      (answer) => answer.writeHead(400, json).end('{"errors":[{"message":"Cannot query field"}]}'),
      /has no _service/,
    ],
    ['silence', () => undefined, /no answer in 200 ms/],
    [
      'silence after the headers',
      (answer) => void answer.writeHead(200, json).write('{'),
      /no answer in 200 ms/,
    ],
  ])('%s', async (_name, handle, said) => {
    const server = await serving(handle);
    try {
      await expect(fetchSaleorSdl(server.url, 200)).rejects.toThrow(said);
    } finally {
      server.close();
    }
  });

  it('nobody there', async () => {
    const url = `http://127.0.0.1:${await freePort()}/graphql/`;
    await expect(fetchSaleorSdl(url)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/);
  });
});

it('says which side has an SDL that cannot be read', () => {
  expect(() => composeSupergraph([...ownSubgraphs(), { name: saleorName, sdl: 'type Query {' }])).toThrow(
    /do not compose:\n {2}\[saleor\] Syntax Error/,
  );
});

describe('the commands, on a Saleor that is not as it should be', () => {
  const small = 'type Query { hello: String }';
  const html = () =>
    serving((answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>'));
  const unfederated = () =>
    serving((answer) =>
      answer
        .writeHead(400, { 'content-type': 'application/json' })
        .end('{"errors":[{"message":"Cannot query field \\"_service\\" on type \\"Query\\"."}]}'),
    );
  const run = async (
    command: 'pull' | 'compose',
    server: Awaited<ReturnType<typeof serving>>,
    out: string,
  ) => {
    const url = command === 'pull' ? '--url' : '--saleor-url';
    const { code, stdout, stderr } = await runCommand(command, [url, server.url, '--out', out]).finally(() =>
      server.close(),
    );
    return { code, stdout, stderr: stderr.replaceAll(server.url, 'URL') };
  };

  describe.each(['pull', 'compose'] as const)('schema:%s', (command) => {
    it.each([
      ['HTML', html, 'URL answered 200 text/html: not a GraphQL endpoint\n'],
      ['no _service', unfederated, 'URL has no _service: it is not a federated GraphQL server\n'],
    ] as const)('%s: a sentence and exit 1, and the last good file is kept', async (_name, server, said) => {
      const file = temporaryFile('good.graphql');
      fs.writeFileSync(file, 'the last good one');
      expect(await run(command, await server(), file)).toEqual({ code: 1, stdout: '', stderr: said });
      expect(fs.readFileSync(file, 'utf8')).toBe('the last good one');
    });

    it('another version: said, and gone on', async () => {
      const file = temporaryFile('made.graphql');
      const { code, stderr } = await run(command, await servingSdl(small, '3.21'), file);
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: 'URL is Saleor 3.21; this was tried on 3.22. Going on.\n',
      });
      expect(fs.readFileSync(file, 'utf8')).toContain('hello: String');
    });
  });

  it('schema:compose, a clash: both sides named, exit 1, and the last good supergraph is kept', async () => {
    const file = temporaryFile('supergraph.graphql');
    expect(await run('compose', await servingSdl(small), file)).toMatchObject({ code: 0, stderr: '' });
    const good = fs.readFileSync(file, 'utf8');
    const clash = await run('compose', await servingSdl(`${small} enum Wallet { A }`), file);
    expect(clash).toMatchObject({ code: 1, stdout: '' });
    expect(clash.stderr).toMatch(/^The subgraphs do not compose:/);
    expect(clash.stderr).toMatch(/"Wallet".*"billing".*"saleor"|"Wallet".*"saleor".*"billing"/);
    expect(clash.stderr).toMatch(/The last good supergraph is kept\.\n$/);
    expect(fs.readFileSync(file, 'utf8')).toBe(good);
  });

  it('schema:pull without an URL says how it is called', async () => {
    expect(await runCommand('pull', [])).toMatchObject({
      code: 2,
      stderr: 'Usage: npm run schema:pull -- --url <Saleor GraphQL URL> [--out FILE]\n',
    });
  });

  it('a server that does not say its version is not accused of one', async () => {
    const silent = await html();
    expect(await untriedVersion(silent.url).finally(() => silent.close())).toBeUndefined();
  });
});

it.each(subgraphNames)('%s describes every type, field, argument and value', async (name) => {
  const { buildSchema } = (await import(`../subgraphs/${name}/src/schema.ts`)) as {
    buildSchema: () => GraphQLSchema;
  };
  const missing: string[] = [];
  const note = (what: string, { description }: { description?: string | null | undefined }) =>
    void (description?.trim() || missing.push(what));
  for (const type of Object.values(buildSchema().getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type) || /^_|^FieldSet$|^link__/.test(type.name))
      continue;
    note(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_')) continue;
      note(`${type.name}.${field.name}`, field);
      if ('args' in field) for (const arg of field.args) note(`${type.name}.${field.name}(${arg.name})`, arg);
    }
  }
  expect(missing).toEqual([]);
});
