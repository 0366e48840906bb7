import fs from 'node:fs';
import path from 'node:path';
import filePlugin from '@size-limit/file';
import sizeLimit from 'size-limit';
import type { WidgetManifest } from './build.ts';

/** What a built widget weighs on the wire, in bytes of brotli. */
export interface WidgetSizes {
  readonly loader: number;
  /** What is loaded when the panel is opened first. */
  readonly app: number;
  /** By file: what is loaded when it is needed. */
  readonly lazy: Readonly<Record<string, number>>;
  readonly total: number;
}

export async function sizesOf(dir: string): Promise<WidgetSizes> {
  const manifest = JSON.parse(fs.readFileSync(path.join(dir, 'manifest.json'), 'utf8')) as WidgetManifest;
  const weigh = async (files: readonly string[]): Promise<number> => {
    const results = (await sizeLimit(
      [filePlugin],
      files.map((file) => path.join(dir, file)),
    )) as readonly { readonly size: number }[];
    return results[0]!.size;
  };
  const { loader, eager, lazy } = manifest;
  return {
    loader: await weigh([loader]),
    app: await weigh(eager),
    lazy: Object.fromEntries(
      await Promise.all(lazy.map(async (file) => [file, await weigh([file])] as const)),
    ),
    total: await weigh([loader, ...eager, ...lazy]),
  };
}
