import type { Capability, PathRule } from './policy.ts';

/** What these rules let be done at a path: those of the one path that fits it best, over all policies together. */
export function capabilitiesAt(
  rules: readonly PathRule[],
  path: string,
  options: { list: boolean },
): ReadonlySet<Capability> {
  const exact = [path, ...(options.list ? [path.replace(/\/$/, '')] : [])];
  const best =
    exact.find((one) => rules.some((rule) => rule.path === one)) ??
    rules
      .map((rule) => rule.path)
      .filter((pattern) => matches(pattern, path))
      .sort(byFit)
      .at(-1);
  const granted = rules.filter((rule) => rule.path === best).flatMap((rule) => rule.capabilities);
  return new Set(granted.includes('deny') ? ['deny'] : granted);
}

function matches(pattern: string, path: string): boolean {
  const isPrefix = pattern.endsWith('*');
  const wanted = (isPrefix ? pattern.slice(0, -1) : pattern).split('/');
  const got = path.split('/');
  if (isPrefix ? got.length < wanted.length : got.length !== wanted.length) return false;
  return wanted.every(
    (segment, at) =>
      segment === '+' ||
      segment === got[at] ||
      (isPrefix && at === wanted.length - 1 && got[at]!.startsWith(segment)),
  );
}

/** Vault's order of what fits better: a later first wildcard, no prefix, fewer `+`, longer, then by text. */
function byFit(a: string, b: string): number {
  const facts = (pattern: string) => {
    const isPrefix = pattern.endsWith('*');
    const text = isPrefix ? pattern.slice(0, -1) : pattern;
    const plus = text.split('/').filter((segment) => segment === '+').length;
    return [plus ? text.indexOf('+') : text.length, isPrefix ? 0 : 1, -plus, text.length] as const;
  };
  const [one, other] = [facts(a), facts(b)];
  const at = one.findIndex((fact, index) => fact !== other[index]);
  return at < 0 ? (a < b ? -1 : 1) : one[at]! - other[at]!;
}
