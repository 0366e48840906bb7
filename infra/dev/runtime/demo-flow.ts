import fs from 'node:fs';
import path from 'node:path';

interface Template {
  readonly [field: string]: { value?: unknown };
}

/**
 * The artifact of the demo offering: `flows/demo-agent.json` with its model's base URL (and name) written in, as it is uploaded to object storage.
 * Equal input gives equal bytes, so the artifact's digest is stable. `scripted:` asks the dev runtime's built-in model; real lfx needs a URL.
 */
export const demoArtifact = (o: { modelBaseUrl: string; modelName?: string }): Buffer =>
  artifact('demo-agent.json', (type, template) => {
    if (type !== 'OpenAIModel') return;
    template['openai_api_base']!.value = o.modelBaseUrl;
    if (o.modelName !== undefined) template['model_name']!.value = o.modelName;
  });

/** The artifact of the offering that calls tools: `flows/order-desk.json` with its model's base URL and the tool gateway's MCP endpoint written in. */
export const orderDeskArtifact = (o: ToolFlowOptions): Buffer => toolFlow('order-desk.json', o);

/** The same of the offering that answers from knowledge bases: `flows/help-desk.json`. */
export const helpDeskArtifact = (o: ToolFlowOptions): Buffer => toolFlow('help-desk.json', o);

interface ToolFlowOptions {
  readonly modelBaseUrl: string;
  readonly gatewayUrl: string;
}

const toolFlow = (file: string, o: ToolFlowOptions): Buffer =>
  artifact(file, (type, template) => {
    if (type === 'OpenAIModel') template['openai_api_base']!.value = o.modelBaseUrl;
    if (type === 'MCPTools')
      (template['mcp_server']!.value as { config: { url: string } }).config.url = o.gatewayUrl;
  });

function artifact(file: string, fill: (type: string, template: Template) => void): Buffer {
  const flow = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'flows', file), 'utf8')) as {
    data: { nodes: { data: { type: string; node: { template: Template } } }[] };
  };
  for (const { data } of flow.data.nodes) fill(data.type, data.node.template);
  return Buffer.from(`${JSON.stringify(flow, null, 2)}\n`);
}
