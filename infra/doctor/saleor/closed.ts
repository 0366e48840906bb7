import {
  Kind,
  parse,
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  type TypeNode,
} from 'graphql';
import { z } from 'zod';
import { closedMutations } from '@agentstore/router/policy/closed-mutations';
import { fetchSaleorSdl } from '@agentstore/schema/subgraphs';
import { ask } from '../ask.ts';
import type { Check } from '../check.ts';
import type { SaleorPatient } from './patient.ts';

/**
 * Through the router nobody may register, sign in or set a password at Saleor: who could register another's address first would keep a way into
 * that account. The values sent are such that even an open mutation would refuse them.
 */
export const closedCheck = (patient: SaleorPatient): Check => ({
  name: 'closed mutations',
  mend: 'PUBLIC_ORIGIN must lead to the router, not to Saleor, and the router must have a supergraph of this Saleor (npm run schema:compose)',
  async look() {
    const closed = closedOperations(await fetchSaleorSdl(patient.access.url, patient.deadlineMs));
    if (!closed.length)
      throw new Error('the schema of this Saleor has none of the mutations that must be closed');
    const answers = await Promise.all(closed.map(({ query }) => codeOf(patient, query)));
    const open = closed.flatMap(({ name }, at) =>
      answers[at] === 'FORBIDDEN_OPERATION' ? [] : [`${name} (${answers[at]})`],
    );
    if (open.length) throw new Error(`the router does not refuse ${open.join(', ')}`);
    return `the router refuses all ${closed.length}; that only it reaches ${patient.access.url} is your network's part`;
  },
});

const answerSchema = z.object({
  errors: z.array(z.object({ extensions: z.object({ code: z.string().optional() }).optional() })).optional(),
});

async function codeOf({ publicOrigin, deadlineMs }: SaleorPatient, query: string): Promise<string> {
  const url = `${publicOrigin}/graphql`;
  const answer = await ask(
    url,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query }),
    },
    deadlineMs,
  );
  const text = await answer.text();
  try {
    const { errors } = answerSchema.parse(JSON.parse(text));
    return errors ? (errors[0]?.extensions?.code ?? 'an error without code') : 'it answered';
  } catch {
    throw new Error(`${url} answers ${answer.status}: not GraphQL`);
  }
}

/** Each mutation of a schema that is closed, as a document with a value for whatever it requires. */
export function closedOperations(sdl: string): { name: string; query: string }[] {
  const types = new Map(
    parse(sdl, { noLocation: true }).definitions.flatMap((definition): [string, DefinitionNode][] =>
      'name' in definition && definition.name ? [[definition.name.value, definition]] : [],
    ),
  );
  const mutation = types.get('Mutation');
  const fields: readonly FieldDefinitionNode[] =
    mutation?.kind === Kind.OBJECT_TYPE_DEFINITION ? (mutation.fields ?? []) : [];
  return fields
    .filter(({ name }) => Object.hasOwn(closedMutations, name.value))
    .map(({ name, arguments: given }) => {
      const values = requiredOf(given ?? [], types);
      return {
        name: name.value,
        query: `mutation { ${name.value}${values ? `(${values})` : ''} { __typename } }`,
      };
    });
}

const requiredOf = (
  inputs: readonly InputValueDefinitionNode[],
  types: ReadonlyMap<string, DefinitionNode>,
): string =>
  inputs
    .filter(({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && !defaultValue)
    .map(({ name, type }) => `${name.value}: ${valueOf(type, types)}`)
    .join(', ');

function valueOf(type: TypeNode, types: ReadonlyMap<string, DefinitionNode>): string {
  if (type.kind === Kind.NON_NULL_TYPE) return valueOf(type.type, types);
  if (type.kind === Kind.LIST_TYPE) return `[${valueOf(type.type, types)}]`;
  const definition = types.get(type.name.value);
  if (definition?.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION)
    return `{ ${requiredOf(definition.fields ?? [], types)} }`;
  if (definition?.kind === Kind.ENUM_TYPE_DEFINITION) return definition.values?.[0]?.name.value ?? '""';
  if (type.name.value === 'Boolean') return 'false';
  if (type.name.value === 'Int' || type.name.value === 'Float') return '0';
  return type.name.value === 'JSONString' ? '"{}"' : '"doctor"';
}
