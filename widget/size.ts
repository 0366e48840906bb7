import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildWidget, type WidgetManifest, widgetApp } from './build.ts';
import filePlugin from '@size-limit/file';
import sizeLimit from 'size-limit';

// Fails when the widget is heavier on the wire than it may be. In bytes of brotli.
const limits = { loader: 3_000, app: 35_000, lazy: 12_000, total: 75_000 };

const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'widget-size-'));
try {
  await buildWidget({ app: widgetApp, package: [], outdir });
  const manifest = JSON.parse(fs.readFileSync(path.join(outdir, 'manifest.json'), 'utf8')) as WidgetManifest;
  const weigh = async (files: readonly string[]): Promise<number> => {
    const paths = files.map((file) => path.join(outdir, file));
    const [result] = (await sizeLimit([filePlugin], paths)) as readonly { readonly size: number }[];
    return result!.size;
  };
  const { loader, eager, lazy } = manifest;
  const sizes = [
    { name: 'loader', size: await weigh([loader]), limit: limits.loader },
    { name: 'app at first open', size: await weigh(eager), limit: limits.app },
    { name: 'everything', size: await weigh([loader, ...eager, ...lazy]), limit: limits.total },
  ];
  for (const file of lazy) sizes.push({ name: file, size: await weigh([file]), limit: limits.lazy });
  for (const { name, size, limit } of sizes)
    process.stdout.write(`${size > limit ? '✗' : '✓'} ${name}: ${size} B of ${limit} B\n`);
  if (sizes.some(({ size, limit }) => size > limit)) process.exitCode = 1;
} finally {
  fs.rmSync(outdir, { recursive: true, force: true });
}
