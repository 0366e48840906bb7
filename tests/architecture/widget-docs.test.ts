import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { paletteOf } from '@agentstore/kernel/colour/palette';
import { words } from '../../widget/app/locales/en.ts';
import { placeholders, siteWordCharacters } from '../../widget/app/locales/in-site-words.ts';
import { propertiesOf } from '../../widget/app/theme/tokens.ts';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');
const docs = read('docs/widget.md');

/** Names in the first column of the tables below a heading, up to the next one, that have a certain head. */
function documented(heading: string, head: string): string[] {
  const [, section] = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(docs)!;
  const [, table] = new RegExp(`^\\| ${head} \\|.*\\n\\|[-|]+\\n((?:\\|.*\\n)+)`, 'm').exec(section!)!;
  return table!
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}
/** What a part of a source says, by a pattern with one group. */
function written(file: string, within: RegExp, each: RegExp): string[] {
  const [, part] = within.exec(read(file))!;
  return [...part!.matchAll(each)].map(([, name]) => name!);
}
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const api = 'widget/app/widget-api.ts';
const members = /^  (?:readonly )?(\w+)\??[:(]/gm;
const states: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    (['connecting', 'reconnecting', 'offline'] as const).map((name) => [name, words[name]]),
  ),
  ...words.failures,
  ...words.troubles,
  'rate-limited': words.rateLimited(Number.NaN),
};
/** `#` is a number. */
const shown = (text: string): string => text.replace('NaN', '#');

it.each<[what: string, documented: () => string[], there: () => string[]]>([
  [
    'attribute of the line',
    () => documented('Attributes of the line', 'attribute').concat('data-instance'),
    () =>
      written('widget/loader/main.ts', /const \{([^}]+)\} = script\?\.dataset/, /(\w+)/g).map(
        (name) => `data-${kebab(name)}`,
      ),
  ],
  [
    'attribute of the element',
    () => [.../^Its attributes are (.*?);/m.exec(docs)![1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    () => written('widget/elements/agent-chat.ts', /observedAttributes = \[([^\]]+)\]/, /'([\w-]+)'/g),
  ],
  [
    'call',
    () => documented('Calls from the page', 'call'),
    () => written(api, /export interface Widget \{([^]*?)^\}/m, /^  (\w+)[<(]/gm),
  ],
  [
    'option',
    () => documented('Calls from the page', 'option'),
    () => written(api, /export interface WidgetOptions \{([^]*?)^\}/m, members),
  ],
  [
    'event',
    () => documented('Calls from the page', 'event'),
    () => written(api, /export interface WidgetEvents \{([^]*?)^\}/m, members),
  ],
  [
    'custom property',
    () => documented('How it looks', 'property'),
    () => [
      ...propertiesOf(paletteOf({ primaryColor: '#000', accentColor: '#000' }, 'light').colours, '').keys(),
    ],
  ],
  [
    'part',
    () => documented('How it looks', '`::part\\(…\\)`').filter((name) => !name.startsWith('::')),
    () => written('widget/app/theme/tokens.ts', /export type Part =([^;]+);/, /'([\w-]+)'/g),
  ],
  ['state', () => documented('What visitors are told', 'state'), () => Object.keys(states)],
])('every %s that is there is documented, and no other', (_what, inDocs, there) => {
  const names = there();
  expect(names.length).toBeGreaterThan(3);
  expect(inDocs().sort()).toEqual([...new Set(names)].sort());
});

it('every part is drawn somewhere, and nothing else is a part', () => {
  const drawn = ['app', 'loader']
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(root, 'widget', folder), { recursive: true, encoding: 'utf8' })
        .map((file) => path.join('widget', folder, file)),
    )
    .filter((file) => /(?<!\.test)\.tsx?$/.test(file))
    .flatMap((file) => [...read(file).matchAll(/part(?:="|', ')([\w-]+)/g)].map(([, name]) => name!));
  expect([...new Set(drawn)].sort()).toEqual(documented('How it looks', '`::part\\(…\\)`').sort());
});

it('every state is told in the words that are documented', () => {
  const rows = [...docs.matchAll(/^\| `([\w-]+)` \| ([^|]+) \|/gm)].map(([, name, text]) => [name!, text!]);
  const told = Object.fromEntries(rows) as Record<string, string>;
  expect(Object.fromEntries(Object.keys(states).map((name) => [name, told[name]]))).toEqual(
    Object.fromEntries(Object.entries(states).map(([name, text]) => [name, shown(text)])),
  );
});

it('every word is in the list, as it is in English', () => {
  const rows = Object.entries(words)
    .flatMap(([key, value]) =>
      typeof value === 'object'
        ? Object.entries(value as Record<string, string>).map(
            ([name, text]) => [`${key}.${name}`, text] as const,
          )
        : [
            [
              key,
              typeof value === 'function'
                ? (value as (...args: readonly string[]) => string)(
                    ...placeholders[key as keyof typeof placeholders],
                  )
                : value,
            ] as const,
          ],
    )
    .filter(([key]) => key !== 'locale' && key !== 'dir')
    .map(([key, text]) => `| \`${key}\` | ${shown(text)} |`);
  const list = `| key | English |\n|---|---|\n${rows.join('\n')}\n`;
  const marker = /(<!-- words: .* -->\n)[^]*$/;
  if (process.env['UPDATE_DOCS'] === '1')
    fs.writeFileSync(path.join(root, 'docs/widget.md'), docs.replace(marker, `$1\n${list}`));
  expect(docs.slice(docs.search(marker))).toContain(list);
});

it('says how long a word of the site may be', () => {
  expect(docs).toContain(
    `| a word of the site's own | ${siteWordCharacters} characters; the rest is cut off |`,
  );
});
