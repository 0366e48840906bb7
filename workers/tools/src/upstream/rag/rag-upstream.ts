import { z } from 'zod';
import { citation, citationBounds, type Citation } from '@agentstore/kernel/citation';
import { ServiceError, UnavailableError, type ServiceClient } from '@agentstore/kernel/service-client';
import { ToolRefusal, type ToolRefusalCode } from '../../calls/refusals.ts';
import type { ToolResult } from '../../calls/tool-call.ts';
import { UpstreamRefusal, type Upstream, type UpstreamRequest } from '../upstream.ts';

/** Where calls go to, as it is audited: no address outside. */
const origin = 'agentstore:knowledge';
const path = '/internal/knowledge:search';

/** What any tool of kind RAG takes; its own JSON Schema may be narrower. */
const question = z.object({
  query: z.string().trim().min(1).max(1_000),
  limit: z.int().min(1).max(20).default(5),
});
/** Cut to what a citation may have: an engine's passages can be longer. */
const found = z.object({
  citations: z
    .array(
      citation.extend({
        text: z.string().transform((text) => text.slice(0, citationBounds.textCharacters)),
      }),
    )
    .max(citationBounds.citations),
});

/** Searches in the knowledge bases of the project that the run's token names, and in no other: nothing of the arguments says where. */
export function createRagUpstream(knowledge: ServiceClient): Upstream {
  return {
    check: (request) => void questionOf(request),
    close: () => Promise.resolve(),
    async call(request) {
      const body = { ...request.tenant, ...questionOf(request) };
      const seen = (upstreamStatus: number | null, bytesIn: number) => ({
        method: 'POST',
        destination: { origin, address: null },
        upstreamStatus,
        attempts: 1,
        sent: true,
        bytesOut: Buffer.byteLength(JSON.stringify(body)),
        bytesIn,
      });
      try {
        const answer = await knowledge.call<unknown>('POST', path, body, {
          deadlineMs: Math.max(1, Math.ceil(request.deadline - performance.now())),
          signal: request.signal,
        });
        const { citations } = found.parse(answer);
        return { ...seen(200, Buffer.byteLength(JSON.stringify(answer))), result: resultOf(citations) };
      } catch (error) {
        const status =
          error instanceof ServiceError || error instanceof UnavailableError ? error.status : undefined;
        throw new UpstreamRefusal(codeOf(error, request), seen(status ?? null, 0));
      }
    },
  };
}

function questionOf(request: Pick<UpstreamRequest, 'arguments'>): z.output<typeof question> {
  const { success, data } = question.safeParse(request.arguments);
  if (!success) throw new ToolRefusal('INVALID_ARGUMENTS');
  return data;
}

/**
 * A block for each passage, an object with one member: lfx makes a row of each, and writes a table into a prompt whole only when it has one column.
 * `structuredContent` has all that is known of them.
 */
const resultOf = (citations: readonly Citation[]): ToolResult => ({
  content: (citations.length
    ? citations.map(
        ({ documentName, page, text }, index) =>
          `[${index + 1}] ${documentName}${page === null ? '' : `, page ${page}`}: ${text}`,
      )
    : ['Nothing was found in the knowledge bases of this project.']
  ).map((passage) => ({ type: 'text', text: JSON.stringify({ passage }) })),
  structuredContent: { citations },
  isError: false,
});

/** What a result of such a tool cites. */
export const citationsOf = ({ structuredContent }: ToolResult): Citation[] =>
  found.safeParse(structuredContent).data?.citations ?? [];

function codeOf(error: unknown, { signal, deadline }: UpstreamRequest): ToolRefusalCode {
  const isLate = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  if (isLate || performance.now() >= deadline) return 'UPSTREAM_TIMEOUT';
  if (error instanceof z.ZodError || error instanceof ServiceError) return 'UPSTREAM_INVALID';
  return 'UPSTREAM_UNAVAILABLE';
}
