import fs from 'node:fs';
import path from 'node:path';
import { CompositionError, composeSupergraph, composeToFile } from './compose-supergraph.ts';
import { saleorApiUrl } from './config.ts';
import { fetchSaleorSdl, ownSubgraphs, saleorName, untriedVersion } from './subgraphs.ts';

/**
 * `npm run schema:compose -- [--saleor-url URL] [--out FILE]`: composes our SDL with Saleor's (asked at that URL; else the one that schema:pull
 * brought; else asked at SALEOR_API_URL).
 * `--check` composes ours alone and writes nothing.
 */
const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const pulled = path.join(import.meta.dirname, 'saleor/schema.graphql');

try {
  if (process.argv.includes('--check')) {
    composeSupergraph(ownSubgraphs());
    process.stdout.write('our subgraphs compose\n');
  } else {
    const url = option('--saleor-url') ?? (fs.existsSync(pulled) ? undefined : saleorApiUrl());
    if (!url && !fs.existsSync(pulled))
      throw new Error(
        'Give --saleor-url or SALEOR_API_URL, or bring a schema with npm run schema:pull first.',
      );
    const sdl = url ? await fetchSaleorSdl(url) : fs.readFileSync(pulled, 'utf8');
    const warning = url && (await untriedVersion(url));
    if (warning) process.stderr.write(`${warning}\n`);
    const out = option('--out') ?? path.join(import.meta.dirname, 'saleor/supergraph.graphql');
    const written = composeToFile([...ownSubgraphs(), { name: saleorName, sdl }], out);
    process.stdout.write(`${written ? 'composed' : 'unchanged'} ${out}\n`);
  }
} catch (error) {
  process.stderr.write(
    `${error instanceof CompositionError ? `${error.message}\nThe last good supergraph is kept.` : (error as Error).message}\n`,
  );
  process.exitCode = 1;
}
