import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { isShallow, mostValueDepth, type Validator } from '../connectors/json-schema.ts';
import { ToolRefusal } from './refusals.ts';

/** Number of values in the arguments of one call: what validating them costs grows with it. */
const mostValues = 5_000;

export type ToolArguments = Readonly<Record<string, unknown>>;

/** The arguments as they are hashed, audited and sent: members sorted, no member that could become a prototype. Throws INVALID_ARGUMENTS. */
export function canonicalArguments(sent: unknown, maxBytes: number): ToolArguments {
  if (sent === undefined) return {};
  if (sent === null || typeof sent !== 'object' || Array.isArray(sent))
    throw new ToolRefusal('INVALID_ARGUMENTS', 'The arguments must be an object.');
  if (!isShallow(sent, mostValueDepth))
    throw new ToolRefusal('INVALID_ARGUMENTS', `The arguments are nested deeper than ${mostValueDepth}.`);
  countValues(sent);
  const text = canonicalJson(sent);
  if (Buffer.byteLength(text) > maxBytes)
    throw new ToolRefusal('INVALID_ARGUMENTS', `The arguments have more than ${maxBytes} bytes.`, {
      maxBytes,
    });
  return JSON.parse(text) as ToolArguments;
}

/** Throws INVALID_ARGUMENTS with the place and the rule that is broken. */
export function fitArguments(value: ToolArguments, validators: readonly Validator[]): void {
  for (const validate of validators) {
    const fault = validate(value);
    if (fault)
      throw new ToolRefusal('INVALID_ARGUMENTS', `Argument ${fault.path || '/'} ${fault.message}.`, {
        path: fault.path,
        rule: fault.rule,
      });
  }
}

function countValues(sent: object): void {
  let count = 0;
  const pending: object[] = [sent];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (Object.hasOwn(next, '__proto__'))
      throw new ToolRefusal('INVALID_ARGUMENTS', 'No argument may be named __proto__.');
    const parts: unknown[] = Object.values(next);
    count += parts.length;
    if (count > mostValues)
      throw new ToolRefusal('INVALID_ARGUMENTS', `The arguments have more than ${mostValues} values.`);
    for (const part of parts) if (part !== null && typeof part === 'object') pending.push(part);
  }
}
