import fs from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, 'schema');

/** The shop's federated SDL: a true subset of Saleor's, without a Subscription root and without `_entities`/`_service`, as Saleor prints it. */
export const shopSdl: string = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((name) => fs.readFileSync(path.join(folder, name), 'utf8').trim())
  .join('\n\n')
  .concat('\n');

const subscriptions = [
  'OrderCreated',
  'OrderUpdated',
  'OrderPaid',
  'OrderFullyPaid',
  'OrderRefunded',
  'OrderFullyRefunded',
  'OrderCancelled',
];

/** Roots that are served and not printed: federation's, and the language of webhook queries. */
export const hiddenSdl = `
directive @key(fields: String!) repeatable on OBJECT | INTERFACE

extend type Query {
  _entities(representations: [_Any]): [_Entity]
  _service: _Service
}

type Subscription {
  event: Event
${subscriptions.map((name) => `  ${name.charAt(0).toLowerCase()}${name.slice(1)}(channels: [String!]): ${name}`).join('\n')}
}
`;
