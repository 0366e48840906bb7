import fs from 'node:fs';
import path from 'node:path';
import { saleorApiUrl } from './config.ts';
import { fetchSaleorSdl, untriedVersion } from './subgraphs.ts';

/** `npm run schema:pull -- --url https://shop.example/graphql/ [--out FILE]`: brings a Saleor's federated SDL beside ours (Git ignores it), or into a file. */
const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const url = process.argv.includes('--url') ? option('--url') : saleorApiUrl();
if (!url) {
  process.stderr.write('Usage: npm run schema:pull -- --url <Saleor GraphQL URL> [--out FILE]\n');
  process.exit(2);
}
try {
  const sdl = await fetchSaleorSdl(url);
  const warning = await untriedVersion(url);
  if (warning) process.stderr.write(`${warning}\n`);
  const file = option('--out') ?? path.join(import.meta.dirname, 'saleor/schema.graphql');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, sdl);
  process.stdout.write(`${sdl.split('\n').length} lines in ${path.relative(process.cwd(), file)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
