import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFrames } from './frames.ts';
import { createFrameMapper, type Flavour, type MappedEvent } from './map-frames.ts';

const folder = path.join(import.meta.dirname, '../../../../../shared/data/langflow');
for (const flavour of ['lfx-1.13.0', 'langflow-1.13.0'])
  for (const file of fs.readdirSync(path.join(folder, flavour)).sort()) {
    const raw = fs.readFileSync(path.join(folder, flavour, file));
    if (!raw.includes('text/event-stream')) continue;
    it(`${flavour}/${file}`, async () => {
      const text = raw.toString('latin1');
      const at = text.indexOf('\r\n\r\n');
      let body = raw.subarray(at + 4);
      const chunks: Buffer[] = [];
      for (;;) {
        const nl = body.indexOf('\r\n');
        const n = parseInt(body.subarray(0, nl).toString(), 16);
        if (!n) break;
        chunks.push(body.subarray(nl + 2, nl + 2 + n));
        body = body.subarray(nl + 4 + n);
      }
      const m = createFrameMapper({
        flavour: flavour.startsWith('lfx') ? 'lfx' : 'langflow',
        stepName: (id) => id,
        maxOutput: 100000,
      });
      const evs: MappedEvent[] = [];
      for await (const f of readFrames(
        (async function* () {
          yield* chunks;
        })(),
        { maxEventBytes: 262144, maxStreamBytes: 1e7 },
      ))
        evs.push(...m.map(f));
      evs.push(...m.close());
      console.log(
        file,
        evs
          .filter((e) => e.kind !== 'TextMessageContent')
          .map((e) => e.kind + ' ' + JSON.stringify(e.payload).slice(0, 80))
          .join('\n  '),
        '\n  text',
        JSON.stringify(
          evs
            .filter((e) => e.kind === 'TextMessageContent')
            .map((e) => e.payload['delta'])
            .join(''),
        ).slice(0, 120),
        '\n =>',
        JSON.stringify(m.verdict)?.slice(0, 200),
        JSON.stringify(m.usage(true, 1)),
      );
    });
  }
