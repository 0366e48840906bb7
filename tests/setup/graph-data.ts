/**
 * What stories read of the graph's answers. Each asks for a part of it and must not read more: a wrong field name is refused by the router,
 * one that was not asked for, or that is null, fails the story that reads it.
 */
export interface Data {
  readonly workspaceAuto: { readonly organization: Organization; readonly project: { readonly id: string } };
  readonly viewer: {
    readonly caller: string;
    readonly memberships: readonly { readonly organization: Organization }[];
  };
  readonly offering: {
    readonly id: string;
    readonly name: string;
    readonly product: { readonly name: string };
    readonly plans: readonly {
      readonly code: string;
      readonly variant: { readonly id: string; readonly sku: string };
    }[];
  };
  readonly checkoutCreate: { readonly checkout: { readonly id: string } };
  readonly checkoutComplete: {
    readonly order: { readonly id: string; readonly number: string };
    readonly errors: readonly Refusal[];
  };
  readonly order: Order;
  readonly parkedOrders: readonly { readonly orderNumber: string | null; readonly reason: string }[];
  readonly parkedOrderLines: readonly { readonly orderNumber: string; readonly reason: string }[];
  readonly instance: Instance;
  readonly instanceAutoActivate: {
    readonly instance: { readonly id: string };
    readonly errors: readonly Refusal[];
  };
  readonly instanceChanged: Instance;
  /** instancePause, instanceResume and instanceTerminate, under an alias. */
  readonly instanceChange: { readonly errors: readonly Refusal[] };
  readonly instanceWidgetRevoke: { readonly errors: readonly Refusal[] };
  readonly offeringVersionUpload: VersionPayload;
  readonly offeringVersionPublish: VersionPayload;
  readonly wallet: Wallet;
  readonly runStart: RunStart;
  readonly run: {
    readonly state: string;
    readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
  };
  readonly runEvents: RunEvent;
  readonly connectors: readonly Connector[];
  readonly connectorBind: {
    readonly connectorBinding: {
      readonly id: string;
      readonly state: string;
      readonly secretVersion: number;
    };
    readonly errors: readonly Refusal[];
  };
  readonly connectorBindingRotate: BindingChange;
  readonly connectorBindingRevoke: BindingChange;
  readonly auditEntry: AuditEntry | null;
  readonly knowledgeBase: { readonly state: string } | null;
  readonly knowledgeBaseCreate: {
    readonly knowledgeBase: { readonly id: string } | null;
    readonly errors: readonly Refusal[];
  };
  readonly knowledgeBaseDelete: { readonly errors: readonly Refusal[] };
  readonly documentUploadInit: UploadInit;
  readonly documentIngest: {
    readonly document: { readonly state: string; readonly attempt: number } | null;
    readonly errors: readonly Refusal[];
  };
  readonly documentChanged: DocumentNow;
  readonly project: {
    readonly knowledgeBases: {
      readonly edges: readonly {
        readonly node: {
          readonly id: string;
          readonly state: string;
          readonly documents: {
            readonly edges: readonly { readonly node: { readonly id: string; readonly state: string } }[];
          };
        };
      }[];
    };
  };
  readonly __type: { readonly description: string };
  readonly memberInvite: { readonly errors: readonly { readonly code: string }[] };
  readonly apiKeyCreate: { readonly key: string; readonly apiKey: { readonly id: string } };
}

interface BindingChange {
  readonly connectorBinding: { readonly state: string; readonly secretVersion: number | null };
  readonly errors: readonly Refusal[];
}

/** An entry of a payload's `errors`. */
interface Refusal {
  readonly code: string;
  readonly message: string;
}

interface Organization {
  readonly id: string;
  readonly wallet: Wallet & {
    readonly grants: readonly { readonly kind: string; readonly granted: string }[];
  };
}

interface Order {
  readonly instances: readonly { readonly id: string; readonly state: string }[];
  readonly topUps: readonly { readonly amount: string }[];
}

export interface Instance {
  readonly state: string;
  readonly version: { readonly version: string };
  readonly desiredGeneration: number;
  readonly observedGeneration: number;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly timeline: readonly { readonly kind: string; readonly commit: string | null }[];
  readonly runs: { readonly edges: readonly unknown[] };
  readonly endpoint: { readonly widgetKey: string };
}

/** What became of a command on an offering version; only an upload has an address. */
export interface VersionPayload {
  readonly offeringVersion: { readonly id: string; readonly state: string } | null;
  readonly uploadUrl?: string | null;
  readonly errors: readonly { readonly code: string }[];
}

/** Amounts are micro-credits as decimal text. */
export interface Wallet {
  readonly balance: string;
  readonly available: string;
  readonly reserved: string;
  readonly ledgerEntries: {
    readonly edges: readonly {
      readonly node: { readonly transfers: readonly { readonly amount: string }[] };
    }[];
  };
}

export interface RunStart {
  readonly run: { readonly id: string };
  readonly errors: readonly Refusal[];
}

/** A whole answer over HTTP. */
export interface Answer {
  readonly data: Data;
  readonly errors: readonly { readonly extensions: { readonly code: string } }[];
}

/** An event of any kind: what only one kind has is optional. */
export interface RunEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly delta?: string;
  readonly output?: string;
  readonly charge?: string;
  readonly usage?: { readonly status: string };
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly content?: string;
  readonly isError?: boolean;
  readonly messageId?: string;
  readonly citation?: SeenCitation;
}

/** A passage that a message rests on. */
export interface SeenCitation {
  readonly documentId: string;
  readonly documentName: string;
  readonly chunkId: string;
  readonly text: string;
  readonly score: number;
  readonly page: number | null;
}

/** A document as it stands. */
export interface DocumentNow {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly progress: number;
  readonly failure: string | null;
}

/** A file that was announced. */
export interface UploadInit {
  readonly document: { readonly id: string; readonly state: string } | null;
  readonly upload: {
    readonly method: string;
    readonly url: string;
    readonly headers: readonly { readonly name: string; readonly value: string }[];
  } | null;
  readonly quota: { readonly what: string; readonly limit: string; readonly used: string } | null;
  readonly errors: readonly Refusal[];
}

/** One decision of the tool gateway, as far as stories read it. */
export interface AuditEntry {
  readonly toolId: string;
  readonly decision: string;
  readonly code: string;
  readonly outcome: string | null;
  readonly policyVersion: string | null;
  readonly secretVersion: number | null;
  readonly upstreamStatus: number | null;
}

export interface Connector {
  readonly id: string;
  readonly slug: string;
  readonly secretFields: readonly string[];
}
