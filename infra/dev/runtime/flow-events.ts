import type { FlowNode } from './flow.ts';

/** Token counts of one model call. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
}

/** Where a message came from; a model's `source` is its model name. */
export interface MessageSource {
  readonly id: string;
  readonly display_name: string;
  readonly source: string;
}

/** A chat message while a flow runs. `origin` decides small differences on the wire. */
export interface Message {
  readonly id: string;
  readonly origin: 'input' | 'output' | 'model';
  readonly sender: 'User' | 'Machine';
  readonly senderName: string;
  readonly text: string;
  readonly state: 'partial' | 'complete';
  readonly source: MessageSource | null;
  readonly usage: Usage | null;
  /** `2026-01-31 23:59:59.123000 UTC` */
  readonly timestamp: string;
}

/** What a node made. `output` is the name of its output; chat nodes have a message, too. */
export interface NodeResult {
  readonly output: string;
  readonly value: unknown;
  readonly message: Message | null;
  readonly usage: Usage | null;
}

/** Why a node failed, in the words that reach the stream. */
export interface NodeFailure {
  /** What the user sees: `the model is down`. */
  readonly text: string;
  /** Python's class name: `OpenAIAPIError`. */
  readonly errorClass: string;
  /** The longer text behind `Error building Component X: `. */
  readonly detail: string;
  /** Langflow reports a missing variable by `end_vertex` alone, without any `error`. */
  readonly isMissingVariable: boolean;
}

/** What happens while a flow runs, before it is put into the frames of one flavour and protocol. */
export type FlowEvent =
  | { readonly kind: 'sorted'; readonly nodes: readonly FlowNode[] }
  | { readonly kind: 'nodeStarted'; readonly node: FlowNode }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'token'; readonly messageId: string; readonly chunk: string }
  | {
      readonly kind: 'nodeEnded';
      readonly node: FlowNode;
      readonly result: NodeResult;
      readonly next: readonly string[];
      readonly tookMs: number;
    }
  | {
      readonly kind: 'nodeFailed';
      readonly node: FlowNode;
      readonly failure: NodeFailure;
      readonly tookMs: number;
      readonly timestamp: string;
      readonly messageId: string;
    }
  | { readonly kind: 'ended'; readonly failed: boolean; readonly tookMs: number };
