import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
/** Where the built page lies, ignored by Git. */
export const graphiqlDir = path.join(here, 'dist');
const workers = {
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
};

/**
 * Builds the page into `dist/` unless it is there already for these very sources; answers whether it built. Assets lie in a folder named by the hash of
 * what they were made from, so that browsers may keep them for ever. Takes some seconds and fetches nothing.
 */
export async function buildGraphiql(): Promise<boolean> {
  const hash = sourcesHash();
  const page = path.join(graphiqlDir, 'index.html');
  if (fs.existsSync(page) && fs.readFileSync(page, 'utf8').includes(hash)) return false;
  const draft = fs.mkdtempSync(path.join(here, '.dist-'));
  try {
    const shared = {
      outdir: path.join(draft, 'assets', hash),
      bundle: true,
      minify: true,
      target: 'es2022',
      loader: { '.graphql': 'text', '.ttf': 'file' },
      logLevel: 'error',
    } as const;
    await build({
      ...shared,
      entryPoints: { main: path.join(here, 'main.tsx') },
      format: 'esm',
      splitting: true,
      jsx: 'automatic',
    });
    const resolve = createRequire(createRequire(path.join(here, 'main.tsx')).resolve('graphiql')).resolve;
    await build({
      ...shared,
      entryPoints: Object.fromEntries(
        Object.entries(workers).map(([name, module]) => [name, resolve(module)]),
      ),
      format: 'iife',
    });
    const html = fs.readFileSync(path.join(here, 'index.html'), 'utf8');
    fs.writeFileSync(
      path.join(draft, 'index.html'),
      html.replaceAll('{{assets}}', `/graphiql/assets/${hash}`),
    );
    fs.rmSync(graphiqlDir, { recursive: true, force: true });
    fs.renameSync(draft, graphiqlDir);
    return true;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Of our sources and of the pins they are built with. */
function sourcesHash(): string {
  const hash = createHash('sha256').update(fs.readFileSync(path.join(here, '../package.json')));
  const files = fs
    .readdirSync(here, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !/^\.?dist/.test(path.relative(here, file)));
  for (const file of files.sort()) hash.update(path.relative(here, file)).update(fs.readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

if (import.meta.main)
  process.stdout.write((await buildGraphiql()) ? 'GraphiQL is built\n' : 'GraphiQL is up to date\n');
