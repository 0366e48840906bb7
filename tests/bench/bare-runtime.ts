import { createHash } from 'node:crypto';
import { Client } from 'minio';
import { artifactBucket } from '../../infra/dev/stack/doubles.ts';
import type { Stack } from '../../infra/dev/stack/stack.ts';

/** The peer of every ratio: the same flow on the same runtime, asked without the store in between. */
export interface BareRuntime {
  /** Runs the flow; calls back at each token with the time since the request. */
  run(input: string, onToken?: (sinceMs: number) => void): Promise<void>;
}

export async function bareRuntime({ doubles, secrets, catalogue }: Stack): Promise<BareRuntime> {
  const { objects, runtime } = doubles;
  const client = new Client({
    endPoint: objects.endPoint,
    port: objects.port,
    useSSL: false,
    ...secrets.objects,
    region: 'us-east-1',
  });
  const chunks: Buffer[] = [];
  for await (const chunk of await client.getObject(
    artifactBucket,
    `support-agent/${catalogue.artifactSha256}.json`,
  ))
    chunks.push(chunk as Buffer);
  const flow = JSON.parse(Buffer.concat(chunks).toString()) as { name: string; data: object };
  const hex = createHash('sha256').update('bench').digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const headers = { 'content-type': 'application/json', 'x-api-key': secrets.runtimeKey };
  const uploaded = await fetch(`${runtime.url}/flows/upload/`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...flow, id }),
  });
  if (!uploaded.ok && uploaded.status !== 409)
    throw new Error(`the runtime refused the flow: ${uploaded.status}`);
  return {
    async run(input, onToken) {
      const began = performance.now();
      const body = {
        flow_id: id,
        input_value: input,
        mode: 'stream',
        stream_protocol: 'langflow',
        session_id: crypto.randomUUID(),
        globals: { OPENAI_API_KEY: 'bench' },
      };
      const answer = await fetch(`${runtime.url}/api/v2/workflows`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (!answer.ok || !answer.body) throw new Error(`the runtime answered ${answer.status}`);
      let text = '';
      for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
        text = (text + chunk).slice(-200_000);
        for (let at = text.indexOf('"event": "token"'); at >= 0; at = text.indexOf('"event": "token"')) {
          onToken?.(performance.now() - began);
          text = text.slice(at + 16);
        }
      }
    },
  };
}
