// Prints "passed failed" of a vitest JSON report; a file that could not be loaded counts as one failure.
import fs from 'node:fs';
const report = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
);
process.stdout.write(`${report.numPassedTests} ${report.numFailedTests + broken.length}\n`);
