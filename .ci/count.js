// count.js REPORT FAILURES: prints "passed failed skipped" of a vitest JSON report; a file that could not be loaded counts as one failure. A test that was
// skipped or left to be written proves nothing: the proof counts it as a failure. The name of each failure, and what it said, is added to FAILURES.
import fs from 'node:fs';
const [reportFile, failuresFile] = process.argv.slice(2);
const report = JSON.parse(fs.readFileSync(reportFile, 'utf8'));
const tests = report.testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ ...test, file: file.name })),
);
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
);
const left = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
const shortened = (text = '') => text.split('\n').slice(0, 30).join('\n  ');
fs.appendFileSync(
  failuresFile,
  [
    ...broken.map((file) => `${file.name}\n  ${shortened(file.message)}`),
    ...tests
      .filter(({ status }) => status === 'failed')
      .map((test) => `${test.file}\n  ${test.fullName}\n  ${shortened(test.failureMessages.join('\n'))}`),
    ...left.map((test) => `${test.file}\n  skipped: ${test.fullName}`),
  ]
    .map((text) => `\n✗ ${text}\n`)
    .join(''),
);
process.stdout.write(`${report.numPassedTests} ${report.numFailedTests + broken.length} ${left.length}\n`);
