import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildWidget, widgetApp } from './build.ts';
import { sizesOf } from './sizes.ts';

// Fails when the widget is heavier on the wire than it may be. In bytes of brotli.
const limits = { loader: 3_000, app: 35_000, lazy: 12_000, total: 75_000 };

const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'widget-size-'));
try {
  await buildWidget({ app: widgetApp, package: [], outdir });
  const { loader, app, lazy, total } = await sizesOf(outdir);
  const rows: readonly (readonly [name: string, size: number, limit: number])[] = [
    ['loader', loader, limits.loader],
    ['app at first open', app, limits.app],
    ['everything', total, limits.total],
    ...Object.entries(lazy).map(([file, size]) => [file, size, limits.lazy] as const),
  ];
  for (const [name, size, limit] of rows)
    process.stdout.write(`${size > limit ? '✗' : '✓'} ${name}: ${size} B of ${limit} B\n`);
  if (rows.some(([, size, limit]) => size > limit)) process.exitCode = 1;
} finally {
  fs.rmSync(outdir, { recursive: true, force: true });
}
