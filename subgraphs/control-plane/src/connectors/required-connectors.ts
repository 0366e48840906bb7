import { z } from 'zod';
import { connectorDefinition, connectorSlug } from '@agentstore/kernel/connector-definition';
import { toolSchemaFault } from './definition-faults.ts';

const toolName = connectorDefinition.shape.tools.element.shape.name;

/** What fits into one policy and one run token: tools in all, and characters of the schemas that narrow their arguments. */
const mostTools = 256;
const mostArgumentCharacters = 65_536;

const requiredConnector = z
  .object({
    connector: connectorSlug,
    tools: z.array(toolName).min(1).max(mostTools),
    arguments: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  })
  .superRefine(({ tools, arguments: schemas }, context) => {
    if (new Set(tools).size < tools.length)
      context.addIssue({ code: 'custom', path: ['tools'], message: 'a tool is named twice' });
    for (const [tool, schema] of Object.entries(schemas)) {
      const fault = tools.includes(tool)
        ? toolSchemaFault(schema)
        : 'the tool is not among those that are needed';
      // What is too deep is not to be looked at by the checks below.
      if (fault)
        context.addIssue({ code: 'custom', path: ['arguments', tool], message: fault, continue: false });
    }
  });

/** What a version needs of connectors, as its publisher says it. */
export const requiredConnectors = z
  .array(requiredConnector)
  .max(32)
  .superRefine((all, context) => {
    if (new Set(all.map(({ connector }) => connector)).size < all.length)
      context.addIssue({ code: 'custom', message: 'a connector is named twice' });
    if (all.reduce((sum, { tools }) => sum + tools.length, 0) > mostTools)
      context.addIssue({ code: 'custom', message: `more than ${mostTools} tools` });
    if (JSON.stringify(all.map((one) => one.arguments)).length > mostArgumentCharacters)
      context.addIssue({
        code: 'custom',
        message: `the schemas of arguments are longer than ${mostArgumentCharacters} characters`,
      });
  });
