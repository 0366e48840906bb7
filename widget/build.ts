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

const whole: WidgetBuild = {
  app: path.join(here, 'app/main.tsx'),
  package: ['elements/index.ts', 'react/agent-chat.tsx'].map((file) => path.join(here, file)),
  outdir: widgetDir,
};

/**
 * Builds the widget unless it is there already for these very sources; answers whether it built. In its folder are then `v1/loader.js` and `{version}/loader.js` (the same),
 * `assets/{name}.{hash}.js`, `versions.json` (`{version: {file, integrity}}`), each with `.br` and `.gz` beside it, and `npm/`. Takes a second and fetches nothing.
 */
export async function buildWidget(from: WidgetBuild = whole): Promise<boolean> {
  const { outdir } = from;
  const hash = sourcesHash(from);
  const stamp = path.join(outdir, 'sources.txt');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash) return false;
  const { version } = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8')) as {
    version: string;
  };
  const draft = fs.mkdtempSync(path.join(path.dirname(outdir), '.dist-'));
  try {
    const app = await build({
      ...shared,
      entryPoints: { app: from.app },
      outdir: path.join(draft, 'assets'),
      entryNames: '[name].[hash]',
      chunkNames: '[name].[hash]',
      splitting: true,
      format: 'esm',
      metafile: true,
    });
    const entry = Object.entries(app.metafile.outputs).find(([, output]) => output.entryPoint)![0];
    const loader = path.join(draft, 'v1/loader.js');
    await build({
      ...shared,
      entryPoints: [path.join(here, 'loader/main.ts')],
      outfile: loader,
      format: 'iife',
      define: { appPath: JSON.stringify(`/widget/assets/${path.basename(entry)}`) },
    });
    fs.cpSync(path.dirname(loader), path.join(draft, version), { recursive: true });
    const integrity = `sha384-${createHash('sha384').update(fs.readFileSync(loader)).digest('base64')}`;
    const versions = { [version]: { file: `/widget/${version}/loader.js`, integrity } };
    fs.writeFileSync(path.join(draft, 'versions.json'), JSON.stringify(versions));
    for (const file of filesOf(draft)) compress(file);
    if (from.package.length) await buildPackage(from.package, path.join(draft, 'npm'));
    fs.writeFileSync(path.join(draft, 'sources.txt'), hash);
    fs.rmSync(outdir, { recursive: true, force: true });
    fs.renameSync(draft, outdir);
    return true;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

const shared = {
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'error',
  jsx: 'automatic',
  jsxImportSource: 'preact',
} as const satisfies BuildOptions;

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
    ...['app/widget-api.ts', 'elements/agent-chat.ts', 'loader/boot.ts'].map((file) => path.join(here, file)),
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
