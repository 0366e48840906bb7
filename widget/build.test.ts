import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { buildWidget, type WidgetBuild, type WidgetManifest } from './build.ts';

let folder: string;
let from: WidgetBuild;
const write = (name: string, text: string): void => fs.writeFileSync(path.join(folder, name), text);
const read = (name: string): string => fs.readFileSync(path.join(from.outdir, name), 'utf8');
const manifest = (): WidgetManifest => JSON.parse(read('manifest.json')) as WidgetManifest;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'widget-build-'));
  write('shared.ts', 'export const shared = () => console.warn("shared");');
  write('lazy.ts', 'import { shared } from "./shared.ts"; shared();');
  write(
    'main.ts',
    'import { shared } from "./shared.ts"; export const mount = () => { shared(); void import("./lazy.ts"); };',
  );
  from = { app: path.join(folder, 'main.ts'), package: [], outdir: path.join(folder, 'dist') };
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

it('builds a loader that names what it imports, and tells apart what waits', async () => {
  expect(await buildWidget(from)).toBe(true);
  const { eager, lazy, loader } = manifest();
  expect(eager.map((file) => file.replace(/\.[A-Z\d]{8}\./, '.'))).toEqual([
    'assets/app.js',
    'assets/chunk.js',
  ]);
  expect(lazy.map((file) => file.replace(/\.[A-Z\d]{8}\./, '.'))).toEqual(['assets/lazy.js']);
  for (const file of eager) expect(read(loader)).toContain(`"/widget/${file}"`);
  expect(read(loader)).not.toContain(lazy[0]);
});

it('lays what a browser may ask for beside each file', async () => {
  await buildWidget(from);
  for (const file of [...manifest().eager, manifest().loader, 'versions.json']) {
    expect(brotliDecompressSync(fs.readFileSync(path.join(from.outdir, `${file}.br`))).toString()).toBe(
      read(file),
    );
    expect(gunzipSync(fs.readFileSync(path.join(from.outdir, `${file}.gz`))).toString()).toBe(read(file));
  }
});

it('has the loader under its version, with its integrity', async () => {
  await buildWidget(from);
  const versions = JSON.parse(read('versions.json')) as Record<string, { file: string; integrity: string }>;
  const [[version, { file, integrity }]] = Object.entries(versions) as [
    [string, { file: string; integrity: string }],
  ];
  expect(file).toBe(`/widget/${version}/loader.js`);
  expect(read(`${version}/loader.js`)).toBe(read('v1/loader.js'));
  expect(integrity).toBe(`sha384-${createHash('sha384').update(read('v1/loader.js')).digest('base64')}`);
});

it('is content with what another process put there meanwhile', async () => {
  const put = vi.spyOn(fs, 'renameSync').mockImplementationOnce((draft, outdir) => {
    fs.cpSync(String(draft), String(outdir), { recursive: true });
    throw new Error('ENOTEMPTY');
  });
  expect(await buildWidget(from)).toBe(false);
  expect(manifest().lazy.map((file) => read(file))).toHaveLength(1);
  write('main.ts', 'export {};');
  put.mockImplementation(() => {
    throw new Error('ENOSPC');
  });
  await expect(buildWidget(from)).rejects.toThrow('ENOSPC');
  put.mockRestore();
});

it('builds again only when something changed, and keeps what open pages import', async () => {
  await buildWidget(from);
  expect(await buildWidget(from)).toBe(false);
  const before = manifest();
  write('main.ts', 'export const mount = () => "another";');
  expect(await buildWidget(from)).toBe(true);
  expect(manifest().eager).not.toEqual(before.eager);
  for (const file of before.eager) expect(fs.existsSync(path.join(from.outdir, `${file}.br`))).toBe(true);
});

it('lets go of assets that no build had for a month, and keeps loaders of other versions', async () => {
  await buildWidget(from);
  const old = path.join(from.outdir, 'assets/app.OLDOLDOL.js');
  fs.writeFileSync(old, '');
  fs.utimesSync(old, 0, 0);
  fs.mkdirSync(path.join(from.outdir, '0.9.0'));
  fs.writeFileSync(path.join(from.outdir, '0.9.0/loader.js'), 'old');
  const earlier = { '0.9.0': { file: '/widget/0.9.0/loader.js', integrity: 'sha384-a' } };
  fs.writeFileSync(path.join(from.outdir, 'versions.json'), JSON.stringify(earlier));
  write('main.ts', 'export const mount = () => "another";');
  await buildWidget(from);
  expect(fs.existsSync(old)).toBe(false);
  expect(read('0.9.0/loader.js')).toBe('old');
  expect(JSON.parse(read('versions.json'))).toMatchObject(earlier);
});

it('builds modules for bundlers with their declarations', async () => {
  const entry = path.join(import.meta.dirname, 'loader/floating.ts');
  await buildWidget({ ...from, package: [entry] });
  expect(read('npm/loader/floating.js')).toContain('agent-store-widget');
  expect(read('npm/loader/floating.d.ts')).toContain("from '../app/widget-api.js'");
  expect(read('npm/app/widget-api.d.ts')).toContain('export interface Widget ');
});

it('is a package that is installed by itself, and has the types of what it exports', async () => {
  await buildWidget();
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [{ filename }] = JSON.parse(
    run('npm', 'pack', '--json', '--ignore-scripts', import.meta.dirname),
  ) as [{ filename: string }];
  write('package.json', '{"type": "module"}');
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', `./${filename}`);
  expect(fs.readdirSync(path.join(folder, 'node_modules/@agentstore'))).toEqual(['widget']);
  write(
    'site.ts',
    `import { createWidget, type AgentChatElement, type Widget } from '@agentstore/widget';
     const chat: Widget = createWidget({ widgetKey: 'wk_1', store: 'https://store.example' });
     chat.on('answer', ({ text }) => text.length);
     createWidget({ widgetKey: 'wk_2', store: 'https://store.example', words: { send: 'Go', 'troubles.paused': 'Later' } });
     // @ts-expect-error there is no such word
     createWidget({ widgetKey: 'wk_3', store: 'https://store.example', words: { sned: 'Go' } });
     export const inside = (element: AgentChatElement): Widget | null => element.widget;
     // @ts-expect-error there is no such event
     chat.on('nothing', () => {});`,
  );
  const compiler = path.join(import.meta.dirname, '../node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--lib', 'es2024,dom'];
  expect(run(process.execPath, compiler, ...options, 'site.ts')).toBe('');
});
