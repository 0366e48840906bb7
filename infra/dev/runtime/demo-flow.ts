import fs from 'node:fs';
import path from 'node:path';

interface Template {
  readonly [field: string]: { value?: unknown };
}

/**
 * The artifact of the demo offering: `flows/demo-agent.json` with its model's base URL (and name) written in, as it is uploaded to object storage.
 * Equal input gives equal bytes, so the artifact's digest is stable. `scripted:` asks the dev runtime's built-in model; real lfx needs a URL.
 */
export function demoArtifact(o: { modelBaseUrl: string; modelName?: string }): Buffer {
  const flow = JSON.parse(
    fs.readFileSync(path.join(import.meta.dirname, 'flows/demo-agent.json'), 'utf8'),
  ) as {
    data: { nodes: { data: { type: string; node: { template: Template } } }[] };
  };
  for (const { data } of flow.data.nodes) {
    if (data.type !== 'OpenAIModel') continue;
    data.node.template['openai_api_base']!.value = o.modelBaseUrl;
    if (o.modelName !== undefined) data.node.template['model_name']!.value = o.modelName;
  }
  return Buffer.from(`${JSON.stringify(flow, null, 2)}\n`);
}
