import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { secretLiteralError } from './secret-literals.ts';

const bind = (secret: string): string =>
  `mutation ($secret: JSON!, $value: String!) { connectorBind(input: { projectId: "p", secret: ${secret} }) { errors { code } } }`;

describe('a secret', () => {
  it.each([
    ['as a variable', '$secret'],
    ['as a variable inside of a literal', '[{ name: "apiKey", value: $value }]'],
  ])('%s is let through', (_name, secret) => expect(secretLiteralError(parse(bind(secret)))).toBeUndefined());

  it.each([
    ['in a list', '[{ name: "apiKey", value: "sk-1" }]'],
    ['in an object', '{ apiKey: "sk-1" }'],
    ['as a block', '"""sk-1"""'],
    ['as a number', '[{ name: "pin", value: 4711 }]'],
  ])('that stands in the text %s is refused, and not repeated', (_name, secret) => {
    const error = secretLiteralError(parse(bind(secret)));
    expect(error?.extensions['code']).toBe('SECRET_IN_DOCUMENT');
    expect(JSON.stringify(error)).not.toMatch(/sk-1|4711/);
  });

  it('of another name is another rule’s', () =>
    expect(secretLiteralError(parse('mutation { a(input: { text: "secret" }) { id } }'))).toBeUndefined());
});
