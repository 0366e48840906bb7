import { installLfx } from '../install-lfx.ts';

// Installs in a process of its own, for the test that kills it.
const [parent = '', python = ''] = process.argv.slice(2);
await installLfx({ parent, python });
