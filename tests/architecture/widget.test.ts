import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../../widget');

/** What a page with a strict Content Security Policy and Trusted Types refuses, or what does not belong into a browser. */
const refused: readonly (readonly [what: string, pattern: RegExp, sample: string])[] = [
  [
    'markup from text',
    /\b(?:inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|setHTML/,
    'a.innerHTML = b',
  ],
  ['parsers of markup', /document\.write|createContextualFragment|DOMParser|srcdoc/, 'document.write(a)'],
  ['code from text', /\beval\(|\bnew Function\b|set(?:Timeout|Interval)\(\s*['"`]/, 'eval(a)'],
  ['style elements', /createElement\(\s*['"]style['"]|<style\b/, "createElement('style')"],
  ['style attributes', /setAttribute\(\s*['"]style['"]|\bstyle=[{"']|cssText/, '<p style={a} />'],
  ['handlers as attributes', /setAttribute\(\s*['"]on/, "a.setAttribute('onclick', b)"],
  ['modules of Node or of the server', /from ['"](?:node:[^'"]+|graphql)['"]/, "import a from 'node:fs'"],
];

const sources = ['app', 'loader', 'elements', 'react']
  .map((folder) => path.join(root, folder))
  .filter((folder) => fs.existsSync(folder))
  .flatMap((folder) =>
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)),
  )
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|\/testing\//.test(file));

it.each(refused)('the widget has no %s', (_what, pattern, sample) => {
  expect(sample).toMatch(pattern);
  expect(sources.length).toBeGreaterThan(30);
  expect(sources.filter((file) => pattern.test(fs.readFileSync(file, 'utf8')))).toEqual([]);
});
