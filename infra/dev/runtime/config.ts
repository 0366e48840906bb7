import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

export const config = defineConfig('real servers of development and CI', {
  AGENTSTORE_CACHE: z
    .string()
    .optional()
    .describe(
      'Folder for builds and installs that outlive a checkout (lfx, versitygw, vault-core); default ~/.cache/agentstore',
    ),
});

/** The shared cache when one is named, else undefined: a store then keeps what it installs in its own state directory. */
export const sharedCache = (): string | undefined => config.read().AGENTSTORE_CACHE;

/** The shared cache, named or default. */
export const cacheDirectory = (): string => sharedCache() ?? path.join(os.homedir(), '.cache', 'agentstore');
