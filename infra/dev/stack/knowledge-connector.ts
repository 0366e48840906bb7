import { z } from 'zod';
import { citation, citationBounds } from '@agentstore/kernel/citation';
import { connectorDefinition } from '@agentstore/kernel/connector-definition';

/** The connector through which flows search in the knowledge bases of their project: it has no address and needs no secret. */
export const knowledgeConnector = connectorDefinition.parse({
  kind: 'RAG',
  slug: 'knowledge',
  name: 'Knowledge bases',
  auth: { type: 'NONE' },
  tools: [
    {
      name: 'search',
      title: 'Search knowledge',
      description:
        "Finds the passages of the project's own documents that answer a question, best first. What it finds is cited in the run's events.",
      inputSchema: {
        type: 'object',
        properties: {
          query: {
            type: 'string',
            minLength: 1,
            maxLength: 1_000,
            description: 'What somebody asks, in words.',
          },
          limit: { type: 'integer', minimum: 1, maximum: 20, description: 'Most passages; 5 unless said.' },
        },
        required: ['query'],
        additionalProperties: false,
      },
      outputSchema: z.toJSONSchema(z.object({ citations: z.array(citation).max(citationBounds.citations) })),
      risk: 'READ',
    },
  ],
});
