import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Flavour } from './components.ts';
import type { FlowStore, StoredFlow } from './flows.store.ts';
import type { Job, Stoppable } from './jobs.ts';
import type { ModelOptions } from './model.ts';
import { RequestRefusal } from './workflow-request.ts';

/** What the routes work with. */
export interface RuntimeDeps {
  readonly flavour: Flavour;
  readonly apiKey: string;
  readonly store: FlowStore;
  readonly jobs: Map<string, Job>;
  /** Langflow's streams under way by their job's id. */
  readonly streams: Map<string, Stoppable>;
  /** Hears of each job that a client asked to stop. */
  readonly onStop: (jobId: string) => void;
  readonly model: ModelOptions;
  readonly keepaliveMs: number;
  /** Langflow's stored variables, which its stream mode uses instead of the request's globals. */
  readonly stored: ReadonlyMap<string, string>;
  readonly version: string;
}

/** One request being answered. */
export interface Exchange {
  readonly deps: RuntimeDeps;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Captured part of the path: a flow's or a job's id. */
  readonly id: string;
  /** Aborts when the client closes the connection: that is how a run is cancelled. */
  readonly gone: AbortSignal;
}

/** An uploaded flow, or 404. */
export function findFlow(deps: RuntimeDeps, id: string): StoredFlow {
  const found = deps.store.get(id);
  if (!found) throw new RequestRefusal(404, { error: 'flow not found', flow_id: id });
  return found;
}
