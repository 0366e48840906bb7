import fs from 'node:fs';
import path from 'node:path';
import { parse, type OperationDefinitionNode } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { variablesFor } from '../../../router/graphiql/variables.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

const folder = path.join(import.meta.dirname, '../../../router/graphiql/examples');
const examples = fs
  .readdirSync(folder)
  .sort()
  .map((name) => ({ name, query: fs.readFileSync(path.join(folder, name), 'utf8') }));

let store: Store;
let person: Person;
const ids: Record<string, string> = {};
beforeAll(async () => {
  store = await openStore();
  person = await store.signUp();
  const home = await person.withActiveInstance();
  const { run } = await person.run(home.instanceId, 'Where is my parcel?');
  Object.assign(ids, home, {
    runId: run.id,
    offeringSlug: 'support-agent',
    channel: store.stack.shop.channel,
    variantId: store.seed.proVariantId,
  });
});
afterAll(() => store.close());

const examplesOf = (kind: RegExp) => examples.filter(({ query }) => kind.test(query));

it.each(examples)('the example $name is opened with every variable filled in', ({ query }) => {
  const [operation] = parse(query).definitions as OperationDefinitionNode[];
  const filled = variablesFor(query, ids);
  const empty = (operation!.variableDefinitions ?? [])
    .filter(({ variable, defaultValue }) => !defaultValue && filled[variable.name.value] === undefined)
    .map(({ variable }) => variable.name.value);
  expect(empty).toEqual([]);
});

it.each(examplesOf(/^query/m))('the example $name answers', async ({ query }) =>
  expect(Object.values(await person.query(query, variablesFor(query, ids)))).not.toContain(null),
);

it.each(examplesOf(/^mutation/m))('the example $name is not refused', async ({ query }) => {
  const [payload] = Object.values(await person.query(query, variablesFor(query, ids)));
  expect(payload).toMatchObject({ errors: [] });
});

it.each(examplesOf(/^subscription/m))('the example $name brings an event', async ({ query }) => {
  const stream = person.subscribe(query, variablesFor(query, ids));
  const { value } = await stream.next();
  await stream.return(undefined);
  expect(Object.values(value as object)).not.toContain(null);
});

it('each begins with its title', () => {
  expect(examples.length).toBeGreaterThan(8);
  for (const { query } of examples) expect(query).toMatch(/^# .{10,}\n(query|mutation|subscription) [A-Z]/);
});
