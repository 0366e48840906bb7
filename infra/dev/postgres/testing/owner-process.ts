import { startPostgres } from '../postgres.ts';
import { childOptions } from './config.ts';

// An owner in a process of its own, for the tests that kill it.
const { pid, adminUrl } = await startPostgres(childOptions());
process.once('disconnect', () => process.exit());
process.send?.({ pid, adminUrl });
