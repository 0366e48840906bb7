import { describe, expect, it } from 'vitest';
import { capabilitiesAt } from './acl.ts';
import { fillPath, parsePolicy, type PathRule } from './policy.ts';

describe('a policy', () => {
  it('is read from HCL with its comments', () => {
    expect(
      parsePolicy(`
        # one
        path "kv/data/{{identity.entity.id}}/*" {
          capabilities = ["read", "list"] // two
        }
        /* three */ path "kv/+/a\\"b" { capabilities = [] }
      `),
    ).toEqual([
      { path: 'kv/data/{{identity.entity.id}}/*', capabilities: ['read', 'list'] },
      { path: 'kv/+/a"b', capabilities: [] },
    ]);
  });

  it.each([
    ['path "x" { capabilities = ["nope"] }', 'invalid capability "nope"'],
    ['path "x" { capability = ["read"] }', 'invalid key "capability"'],
    ['path "x" { capabilities = ["read"] allowed_parameters = {} }', 'invalid key "allowed_parameters"'],
    ['path "x" {', 'unexpected end'],
    ['path x { }', 'a string is expected, got x'],
    ['rule "x" { }', 'path expected, got rule'],
    ['path "x" { capabilities = [\'read\'] }', 'illegal character at 27'],
    ['path "a/+*" { capabilities = ["read"] }', "invalid use of wildcards ('+*' is forbidden)"],
    ['path "x{{" { capabilities = ["read"] }', 'unbalanced templating characters'],
  ])('is refused: %s', (hcl, why) => {
    expect(() => parsePolicy(hcl)).toThrow(/^failed to parse policy: /);
    expect(() => parsePolicy(hcl)).toThrow(why);
  });

  it.each([
    ['a', 'kv/a/x'],
    ['', undefined],
    [undefined, undefined],
    ['+', undefined],
    ['a*', undefined],
    ['a/b', undefined],
  ])('filled with %j becomes %j', (value, path) => {
    expect(fillPath('kv/{{ who }}/x', (template) => (template === 'who' ? value : undefined))).toBe(path);
  });
});

describe('what policies grant at a path', () => {
  const rule = (path: string, ...capabilities: PathRule['capabilities']): PathRule => ({
    path,
    capabilities,
  });
  const at = (path: string, ...rules: readonly PathRule[]) => [
    ...capabilitiesAt(rules, path, { list: false }),
  ];

  it('is nothing where no path fits', () => {
    expect(at('kv/a')).toEqual([]);
    expect(at('kv/a', rule('kv', 'read'), rule('kv/a/', 'read'), rule('kv/ab*', 'read'))).toEqual([]);
    expect(at('kv/a/b', rule('kv/+', 'read'), rule('kv/+/b/c', 'read'))).toEqual([]);
  });

  it('is that of every policy for the same path, unless one denies', () => {
    expect(at('kv/a', rule('kv/a', 'read'), rule('kv/a', 'update'))).toEqual(['read', 'update']);
    expect(at('kv/a', rule('kv/a', 'read'), rule('kv/a', 'deny'))).toEqual(['deny']);
  });

  it.each([
    ['the exact one', 'kv/a', 'kv/*', 'kv/a'],
    ['a later wildcard', 'kv/a/b', 'kv/+/b', 'kv/a/*'],
    ['no prefix', 'kv/a/b', 'kv/+/*', 'kv/+/b'],
    ['fewer wildcards', 'kv/a/b/c', 'kv/+/+/c', 'kv/+/b/c'],
    ['the longer prefix', 'kv/a/bc', 'kv/a/*', 'kv/a/b*'],
  ])('is that of the path that fits best: %s', (_what, path, lesser, better) => {
    expect(at(path, rule(better, 'read'), rule(lesser, 'update'))).toEqual(['read']);
    expect(at(path, rule(lesser, 'update'), rule(better, 'read'))).toEqual(['read']);
  });

  it('also counts a folder without its slash, for lists only', () => {
    expect([...capabilitiesAt([rule('kv/a', 'list')], 'kv/a/', { list: true })]).toEqual(['list']);
    expect(at('kv/a/', rule('kv/a', 'list'))).toEqual([]);
  });
});
