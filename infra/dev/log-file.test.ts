import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logFile } from './log-file.ts';

let dir: string;
beforeEach(() => void (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-log-'))));
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

it('holds what was said right before the process exits', () => {
  const file = path.join(dir, 'agentstore.log');
  const said = `
    const { createLog } = await import(${JSON.stringify(import.meta.resolve('@agentstore/kernel/log'))});
    const { logFile } = await import(${JSON.stringify(path.join(import.meta.dirname, 'log-file.ts'))});
    createLog({ name: 'dev', destination: logFile(${JSON.stringify(file)}) }).error('the store did not start');
    process.exit(1);`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', said]).status).toBe(1);
  expect(fs.readFileSync(file, 'utf8')).toContain('the store did not start');
});

it('is kept at two files, the newest lines in the first', () => {
  const file = path.join(dir, 'agentstore.log');
  const log = logFile(file, { maxBytes: 100 });
  for (let line = 0; line < 50; line += 1) log.write(`line ${line}\n`);
  expect(fs.readdirSync(dir).sort()).toEqual(['agentstore.log', 'agentstore.log.1']);
  const kept = fs.readFileSync(`${file}.1`, 'utf8') + fs.readFileSync(file, 'utf8');
  expect(kept).toContain('line 49\n');
  expect(kept.length).toBeLessThan(250);
});
