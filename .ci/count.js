// Prints "passed failed skipped" of a vitest JSON report; a file that could not be loaded counts as one failure. A test that was skipped or left to be
// written proves nothing: the proof counts it as a failure, and its name is said on stderr.
import fs from 'node:fs';
const report = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
);
const left = report.testResults.flatMap((file) =>
  file.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
);
for (const test of left) process.stderr.write(`skipped: ${test.fullName}\n`);
process.stdout.write(`${report.numPassedTests} ${report.numFailedTests + broken.length} ${left.length}\n`);
