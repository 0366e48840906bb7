import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/http';
import { startPostgres } from '../postgres/postgres.ts';
import { keepRunning } from './keep-running.ts';

it('starts again what ends by itself, also after a start that failed, and not what was stopped', async () => {
  const said: string[] = [];
  const stopped: number[] = [];
  let starts = 0;
  let end: () => void = () => undefined;
  const kept = await keepRunning({
    name: 'lfx',
    log: silentLog,
    say: (text) => void said.push(text),
    pauseMs: 1,
    start: async (ended) => {
      const number = ++starts;
      if (number === 2) throw new Error('port taken');
      end = ended;
      return { number, stop: async () => void stopped.push(number) };
    },
  });
  expect(kept.current.number).toBe(1);
  end();
  await expect.poll(() => kept.current.number).toBe(3);
  expect(said).toEqual(['lfx ended by itself; starting it again', 'lfx runs again']);
  await kept.stop();
  end();
  expect({ starts, stopped }).toEqual({ starts: 3, stopped: [3] });
});

it('PostgreSQL killed with -9 is back at the same address with what it had', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-kept-'));
  fs.chmodSync(dir, 0o711); // as root the server runs under another account
  const options = { dataDir: path.join(dir, 'data'), port: await freePort() };
  const kept = await keepRunning({
    name: 'PostgreSQL',
    log: silentLog,
    say: () => undefined,
    start: (onEnd) => startPostgres({ ...options, onEnd }),
  });
  try {
    const { adminUrl, pid } = kept.current;
    const ask = async (sql: string) => {
      const client = new pg.Client({ connectionString: adminUrl });
      client.on('error', () => undefined);
      await client.connect();
      return client.query(sql).finally(() => client.end());
    };
    await ask('create table kept as select 42 as answer');
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await ask('select answer from kept')).rows).toEqual([{ answer: 42 }]);
    expect(kept.current.pid).not.toBe(pid);
  } finally {
    await kept.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
});
