import path from 'node:path';
import { build } from 'esbuild';

const root = path.join(import.meta.dirname, '../../../..');

/** A module with all that it imports, looked up from `from` (a folder of this repository), as an element of a page. */
export async function moduleScript(
  source: string,
  { from = '.', loader = 'ts' }: { readonly from?: string; readonly loader?: 'ts' | 'tsx' } = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: path.join(root, from), loader },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    logLevel: 'error',
  });
  return `<script type="module">${outputFiles[0]!.text.replaceAll('</script', '<\\/script')}</script>`;
}
