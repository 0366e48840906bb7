import { fewestFiles, readImports } from './imports.ts';

// Fails when an import breaks a rule of the house.
const { violations, filesRead } = readImports();
for (const violation of violations) process.stderr.write(`${violation}\n`);
if (filesRead <= fewestFiles) process.stderr.write(`only ${filesRead} source files were read\n`);
process.exitCode = violations.length || filesRead <= fewestFiles ? 1 : 0;
