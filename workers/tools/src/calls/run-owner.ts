import type { Citation } from '@agentstore/kernel/citation';
import { ServiceError, type ServiceClient } from '@agentstore/kernel/service-client';
import { ToolRefusal } from './refusals.ts';
import type { Grant, ToolResult } from './tool-call.ts';

const deadlineMs = 2_000;
/** How much of a result stands among a run's events; the flow itself gets all of it. */
const mostText = 100_000;

/** The runner that owns a run: it alone gives the run's events their numbers, and knows whether the run still goes on. */
export interface RunOwner {
  /** Resolves when the start of the call is among the run's events. Throws RUN_ENDED or RUN_OWNER_UNAVAILABLE. */
  started(
    grant: Grant,
    call: { readonly id: string; readonly toolId: string; readonly arguments: string },
  ): Promise<void>;
  /** Tells what the call answered, and what it found in documents; throws when it could not be told. */
  ended(
    grant: Grant,
    call: { readonly id: string; readonly result: ToolResult; readonly citations: readonly Citation[] },
  ): Promise<void>;
}

export function createRunOwner(ownerAt: (origin: string) => ServiceClient): RunOwner {
  const tell = async (grant: Grant, verb: string, body: object): Promise<void> => {
    await ownerAt(grant.owner).call(
      'POST',
      `/internal/runs/${grant.runId}/tool-calls${verb}`,
      { fence: grant.fence, ...body },
      { deadlineMs },
    );
  };
  return {
    async started(grant, { id, toolId, arguments: sent }) {
      try {
        await tell(grant, '', { toolCallId: id, toolName: toolId, arguments: sent });
      } catch (error) {
        const hasEnded = error instanceof ServiceError && ['RUN_FENCED', 'RUN_ENDED'].includes(error.code);
        throw new ToolRefusal(hasEnded ? 'RUN_ENDED' : 'RUN_OWNER_UNAVAILABLE');
      }
    },
    ended: (grant, { id, result, citations }) =>
      tell(grant, `/${id}/result`, { content: textOf(result), isError: result.isError, citations }),
  };
}

/** What a run's events say of a result: its texts. */
const textOf = ({ content }: ToolResult): string =>
  content
    .map((block) => (block.type === 'text' ? String(block['text']) : `[${block.type}]`))
    .join('\n')
    .slice(0, mostText);
