import { invalid } from './vault-error.ts';

export const capabilities = ['create', 'read', 'update', 'patch', 'delete', 'list', 'sudo', 'deny'] as const;
export type Capability = (typeof capabilities)[number];

/** One `path` of a policy. Its path may end in `*`, have `+` for whole segments, and hold `{{templates}}`. */
export interface PathRule {
  readonly path: string;
  readonly capabilities: readonly Capability[];
}

/** Vault's own policy language, HCL: `path "…" { capabilities = ["…"] }`. Throws VaultError 400 for anything else. */
export function parsePolicy(hcl: string): readonly PathRule[] {
  const tokens = tokensOf(hcl);
  const rules: PathRule[] = [];
  const next = (): string => tokens.shift() ?? fail('unexpected end');
  const expect = (wanted: string): void => {
    const got = next();
    if (got !== wanted) fail(`${wanted} expected, got ${got}`);
  };
  while (tokens.length) {
    expect('path');
    const path = textOf(next());
    requirePath(path);
    expect('{');
    const named: string[] = [];
    for (let word = next(); word !== '}'; word = next()) {
      if (word !== 'capabilities') fail(`path "${path}": invalid key "${word}"`);
      expect('=');
      expect('[');
      for (let one = next(); one !== ']'; one = next()) if (one !== ',') named.push(textOf(one));
    }
    for (const one of named) if (!isCapability(one)) fail(`path "${path}": invalid capability "${one}"`);
    rules.push({ path, capabilities: named.filter(isCapability) });
  }
  return rules;
}

const isCapability = (text: string): text is Capability => capabilities.some((one) => one === text);

function requirePath(path: string): void {
  if (path.includes('+*')) fail(`path "${path}": invalid use of wildcards ('+*' is forbidden)`);
  const [first = '', ...pieces] = path.split('{{');
  if (first.includes('}}') || pieces.some((piece) => piece.split('}}').length !== 2))
    fail('failed to validate policy templating: unbalanced templating characters');
}

/** Words, strings in their quotes, and signs; comments are left out. */
function tokensOf(hcl: string): string[] {
  const tokens: string[] = [];
  const pattern = /\s+|(?:#|\/\/)[^\n]*|\/\*[\s\S]*?\*\/|("(?:[^"\\\n]|\\.)*"|\w+|[{}[\]=,])/y;
  for (let at = 0; at < hcl.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(hcl) ?? fail(`illegal character at ${at}`);
    if (found[1] !== undefined) tokens.push(found[1]);
  }
  return tokens;
}

function textOf(token: string): string {
  if (!token.startsWith('"')) fail(`a string is expected, got ${token}`);
  return JSON.parse(token) as string;
}

function fail(what: string): never {
  throw invalid(`failed to parse policy: ${what}`);
}

/**
 * The path with the facts of whoever asks in it; undefined when one is missing, and then it grants nothing. A value that would be read as part of the
 * path's structure (`/`, `+`, `*`) is refused as OpenBao 2.6 does; Vault 1.14 takes `+` for a wildcard there.
 */
export function fillPath(
  path: string,
  valueOf: (template: string) => string | undefined,
): string | undefined {
  let missing = false;
  const filled = path.replaceAll(/\{\{(.*?)\}\}/g, (_all, template: string) => {
    const value = valueOf(template.trim());
    if (!value || /[/+*]/.test(value)) missing = true;
    return value ?? '';
  });
  return missing ? undefined : filled;
}
