/** `node infra/dev/runtime/install.ts`: makes lfx's virtual environment in the shared cache (CI does this beside the fast tests) and prints its folder. */
import { cacheDirectory } from './config.ts';
import { installLfx } from './install-lfx.ts';

const home = await installLfx({
  parent: cacheDirectory(),
  onProgress: (text) => process.stderr.write(`lfx: ${text}\n`),
});
process.stdout.write(`${home}\n`);
