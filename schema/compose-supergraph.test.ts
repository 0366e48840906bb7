import fs from 'node:fs';
import http from 'node:http';
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
import { fetchSaleorSdl, ownSubgraphs, saleorName, subgraphNames } from './subgraphs.ts';

const recorded = path.join(import.meta.dirname, '../../shared/data/saleor/saleor-3.22-federated.graphql');
const there = fs.existsSync(recorded);
if (!there)
  process.stderr.write(
    "SALEOR'S RECORDED SCHEMA IS MISSING (../shared/data/saleor): composition with it was not checked\n",
  );

it('has the recorded schema where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

it.runIf(there)(
  'composes our subgraphs with the whole schema of a running Saleor 3.22',
  () => {
    const supergraph = composeSupergraph([
      ...ownSubgraphs(),
      { name: saleorName, sdl: fs.readFileSync(recorded, 'utf8') },
    ]);
    expect(supergraph).toContain('type Instance');
    expect(supergraph).toContain('type Checkout');
  },
  60_000,
);

it('names both sides of a clash, keeps the last good file, and does not compose what has not changed', () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'supergraph-')), 'supergraph.graphql');
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
    const server = http.createServer((_request, answer) => handle(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as { port: number };
      await expect(fetchSaleorSdl(`http://127.0.0.1:${port}/graphql/`, 200)).rejects.toThrow(said);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('nobody there', async () => {
    const url = `http://127.0.0.1:${await freePort()}/graphql/`;
    await expect(fetchSaleorSdl(url)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/);
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
