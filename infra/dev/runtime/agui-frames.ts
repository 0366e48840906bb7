import type { FrameEncoder } from './langflow-frames.ts';
import { lfxBuildData } from './langflow-frames.ts';
import { buildError, type RunFacts } from './messages.ts';

/** The `agui` protocol. lfx tells a failure twice and does not finish; the Langflow backend tells it once, or never, and finishes. No usage. */
export function aguiFrames(run: RunFacts, ids: { threadId: string; runId: string }): FrameEncoder {
  const told = new Set<string>();
  let open: string | undefined;
  const event = (type: string, fields: object): string => JSON.stringify({ type, ...fields });
  const close = (): string[] => {
    const id = open;
    open = undefined;
    return id === undefined ? [] : [event('TEXT_MESSAGE_END', { messageId: id })];
  };
  const start = (id: string): string => {
    told.add(id);
    open = id;
    return event('TEXT_MESSAGE_START', { messageId: id, role: 'assistant' });
  };
  const node = (id: string, status: string, output: unknown): string =>
    event('STATE_DELTA', { delta: [{ op: 'add', path: `/nodes/${id}`, value: { status, output } }] });
  return (happened) => {
    switch (happened.kind) {
      case 'sorted':
        return [
          event('RUN_STARTED', ids),
          ...(run.exposeState ? [event('STATE_SNAPSHOT', { snapshot: { nodes: {} } })] : []),
        ];
      case 'nodeStarted': {
        const { id } = happened.node;
        return run.exposeState ? [event('STEP_STARTED', { stepName: id }), node(id, 'running', null)] : [];
      }
      case 'message': {
        const { id, sender, state, text } = happened.message;
        if (sender === 'User') return [];
        if (told.has(id)) return state === 'complete' && open === id ? close() : [];
        if (state === 'partial') return [start(id)];
        return [start(id), event('TEXT_MESSAGE_CONTENT', { messageId: id, delta: text }), ...close()];
      }
      case 'token':
        return [event('TEXT_MESSAGE_CONTENT', { messageId: happened.messageId, delta: happened.chunk })];
      case 'nodeEnded': {
        if (!run.exposeState) return [];
        const { id } = happened.node;
        return [
          event('STEP_FINISHED', { stepName: id }),
          node(id, 'success', lfxBuildData(happened.node, happened.result, run).data),
        ];
      }
      case 'nodeFailed': {
        const { failure } = happened;
        const first = [...close(), event('RUN_ERROR', { message: failure.text })];
        if (run.flavour === 'lfx')
          return [...first, event('RUN_ERROR', { message: buildError(happened.node, failure) })];
        return failure.isMissingVariable ? close() : first;
      }
      case 'ended':
        return happened.failed && run.flavour === 'lfx' ? [] : [event('RUN_FINISHED', ids)];
    }
  };
}
