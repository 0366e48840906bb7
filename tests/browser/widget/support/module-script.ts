import path from 'node:path';
import { build } from 'esbuild';

const root = path.join(import.meta.dirname, '../../../..');

/** A module as one script that a page can run; its exports are members of the global `bundled`. What it imports is looked up from `from`, a folder of this repository. */
export async function bundle(
  source: string,
  { from = '.', loader = 'ts' }: { readonly from?: string; readonly loader?: 'ts' | 'tsx' } = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: path.join(root, from), loader },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundled',
    target: 'es2022',
    jsx: 'automatic',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return outputFiles[0]!.text;
}
