import fs from 'node:fs';
import path from 'node:path';
import { saleorApiUrl } from './config.ts';
import { fetchSaleorSdl } from './subgraphs.ts';

/** `npm run schema:pull -- --url https://shop.example/graphql/`: brings a Saleor's federated SDL beside ours; Git ignores it. */
const at = process.argv.indexOf('--url');
const url = at < 0 ? saleorApiUrl() : process.argv[at + 1];
if (!url) {
  process.stderr.write('Usage: npm run schema:pull -- --url <Saleor GraphQL URL>\n');
  process.exit(2);
}
try {
  const sdl = await fetchSaleorSdl(url);
  const file = path.join(import.meta.dirname, 'saleor/schema.graphql');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, sdl);
  process.stdout.write(`${sdl.split('\n').length} lines in schema/saleor/schema.graphql\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
