import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type BuildOptions } from 'esbuild';
import ts from 'typescript';

const here = import.meta.dirname;
/** Where the built widget lies, ignored by Git: what the router serves under `/widget/`, and `npm/`. */
export const widgetDir = path.join(here, 'dist');
const sources = ['app', 'loader', 'elements', 'react', 'package.json', 'build.ts', '../kernel/src'];

/** What is built, from where to where. */
export interface WidgetBuild {
  /** Module of the app, that exports `mount`. */
  readonly app: string;
  /** Modules of the package; without them it is not built. */
  readonly package: readonly string[];
  readonly outdir: string;
}

/** The app's own module. */
export const widgetApp = path.join(here, 'app/main.tsx');

const whole: WidgetBuild = {
  app: widgetApp,
  package: ['elements/index.ts', 'react/agent-chat.tsx'].map((file) => path.join(here, file)),
  outdir: widgetDir,
};

/** What lies in the folder, in `manifest.json`. Paths are relative to it. */
export interface WidgetManifest {
  /** Of the sources it was made of. */
  readonly sources: string;
  readonly loader: string;
  /** What the loader imports; the app itself is first. */
  readonly eager: readonly string[];
  /** What the app imports when it is needed. */
  readonly lazy: readonly string[];
}

/** An asset is kept for so long after a build that does not have it any more: pages that are open still import it. */
const keptMs = 30 * 86_400_000;

/**
 * Builds the widget unless it is there already for these very sources; answers whether it built. In its folder are then `v1/loader.js` and `{version}/loader.js`
 * (the same), `assets/{name}.{hash}.js`, `versions.json` (`{version: {file, integrity}}`), each with `.br` and `.gz` beside it, and `npm/`. Loaders of earlier
 * versions stay, and their assets for a while. Takes a second and fetches nothing.
 */
export async function buildWidget(from: WidgetBuild = whole): Promise<boolean> {
  const hash = sourcesHash(from);
  const isThere = (): boolean => manifestIn(from.outdir)?.sources === hash;
  if (isThere()) return false;
  for (let again = false; ; again = true)
    try {
      await buildFor(hash, from, isThere);
      return true;
    } catch (error) {
      // Of two processes that build the same at once one is enough, and one takes away what the other reads.
      if (isThere()) return false;
      if (again) throw error;
    }
}

async function buildFor(hash: string, from: WidgetBuild, isThere: () => boolean): Promise<void> {
  const { outdir } = from;
  const before = manifestIn(outdir);
  const { version } = readJson<{ version: string }>(path.join(here, 'package.json'))!;
  const draft = fs.mkdtempSync(path.join(path.dirname(outdir), '.dist-'));
  const old = `${draft}-old`;
  try {
    const { eager, lazy } = await buildApp(from.app, draft);
    const loader = path.join(draft, version, 'loader.js');
    await build({
      ...shared,
      entryPoints: [path.join(here, 'loader/main.ts')],
      outfile: loader,
      format: 'iife',
      define: { appPaths: JSON.stringify(eager.map((file) => `/widget/${file}`)) },
    });
    fs.cpSync(path.dirname(loader), path.join(draft, 'v1'), { recursive: true });
    const integrity = `sha384-${createHash('sha384').update(fs.readFileSync(loader)).digest('base64')}`;
    const earlier = readJson<Record<string, unknown>>(path.join(outdir, 'versions.json')) ?? {};
    const versions = { ...earlier, [version]: { file: `/widget/${version}/loader.js`, integrity } };
    fs.writeFileSync(path.join(draft, 'versions.json'), JSON.stringify(versions));
    for (const file of filesOf(draft)) compress(file);
    for (const name of Object.keys(earlier))
      if (name !== version) fs.cpSync(path.join(outdir, name), path.join(draft, name), { recursive: true });
    if (before) keepAssets(before, outdir, draft);
    if (from.package.length) await buildPackage(from.package, path.join(draft, 'npm'));
    const manifest: WidgetManifest = { sources: hash, loader: 'v1/loader.js', eager, lazy };
    fs.writeFileSync(path.join(draft, 'manifest.json'), JSON.stringify(manifest));
    if (isThere()) return;
    // Folders come and go whole.
    if (fs.existsSync(outdir)) fs.renameSync(outdir, old);
    fs.renameSync(draft, outdir);
  } finally {
    for (const folder of [draft, old]) fs.rmSync(folder, { recursive: true, force: true });
  }
}

const shared = {
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'error',
  jsx: 'automatic',
  jsxImportSource: 'preact',
} as const satisfies BuildOptions;

/** The app and its chunks; those that it imports at once are told apart, so that the loader can ask for all of them together. */
async function buildApp(app: string, draft: string): Promise<Pick<WidgetManifest, 'eager' | 'lazy'>> {
  const { metafile } = await build({
    ...shared,
    entryPoints: { app },
    outdir: path.join(draft, 'assets'),
    entryNames: '[name].[hash]',
    chunkNames: '[name].[hash]',
    splitting: true,
    format: 'esm',
    metafile: true,
    absWorkingDir: draft,
  });
  const outputs = Object.keys(metafile.outputs);
  const eager = new Set(outputs.filter((file) => path.basename(file).startsWith('app.')));
  for (const file of eager)
    for (const { path: imported, kind } of metafile.outputs[file]!.imports)
      if (kind === 'import-statement') eager.add(imported);
  return { eager: [...eager], lazy: outputs.filter((file) => !eager.has(file)) };
}

function keepAssets(before: WidgetManifest, outdir: string, draft: string): void {
  const latest = new Set([...before.eager, ...before.lazy]);
  for (const file of filesOf(path.join(outdir, 'assets'))) {
    const name = path.relative(outdir, file);
    const target = path.join(draft, name);
    if (fs.existsSync(target)) continue;
    // From now on, for those of the last build.
    if (latest.has(name.replace(/\.(?:br|gz)$/, ''))) fs.copyFileSync(file, target);
    else if (Date.now() - fs.statSync(file).mtimeMs < keptMs)
      fs.cpSync(file, target, { preserveTimestamps: true });
  }
}

const manifestIn = (outdir: string): WidgetManifest | null =>
  readJson<WidgetManifest>(path.join(outdir, 'manifest.json'));

function readJson<Value>(file: string): Value | null {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Value) : null;
}

/** Modules for bundlers, with their declarations. */
async function buildPackage(entries: readonly string[], outdir: string): Promise<void> {
  await build({
    ...shared,
    entryPoints: [...entries],
    outdir,
    outbase: here,
    splitting: true,
    format: 'esm',
    external: ['react', 'react/jsx-runtime'],
  });
  const declared = [
    ...entries,
    ...[
      'app/widget-api.ts',
      'app/locales/words.ts',
      'app/chat/trouble.ts',
      'elements/agent-chat.ts',
      'loader/boot.ts',
    ].map((file) => path.join(here, file)),
  ];
  for (const file of declared) {
    const { outputText } = ts.transpileDeclaration(fs.readFileSync(file, 'utf8'), {
      fileName: file,
      compilerOptions: { jsx: ts.JsxEmit.ReactJSX },
    });
    const target = path.join(outdir, path.relative(here, file).replace(/\.tsx?$/, '.d.ts'));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, outputText.replace(/(from '\..*)\.tsx?'/g, "$1.js'"));
  }
}

function compress(file: string): void {
  const content = fs.readFileSync(file);
  fs.writeFileSync(`${file}.br`, brotliCompressSync(content));
  fs.writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}

function filesOf(place: string): string[] {
  if (fs.statSync(place).isFile()) return [place];
  return fs
    .readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Of our sources, of the pins they are built with and of what is asked for. */
function sourcesHash(from: WidgetBuild): string {
  const hash = createHash('sha256').update(JSON.stringify(from));
  const files = [
    ...sources.map((name) => path.join(here, name)),
    from.app,
    path.join(here, '../package-lock.json'),
  ]
    .filter((place) => fs.existsSync(place))
    .flatMap(filesOf)
    .filter((file) => !/\.test\.tsx?$/.test(file));
  for (const file of files) hash.update(path.relative(here, file)).update(fs.readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

if (import.meta.main)
  process.stdout.write((await buildWidget()) ? 'The widget is built\n' : 'The widget is up to date\n');
