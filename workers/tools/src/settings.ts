/** Bounds and addresses of one gateway; every one is a variable of `config.ts`. */
export interface ToolSettings {
  /** Audience of run tokens and the resource of the RFC 9728 document, e.g. `https://tools.example.com`. */
  readonly publicOrigin: string;
  /** Hosts (with port) that a request may name besides the public origin's. */
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxArgumentBytes: number;
  /** Calls under way at once, in this process and of one run. */
  readonly maxCalls: number;
  readonly maxCallsPerRun: number;
  /** Calls that one run may make in all. */
  readonly mostCallsOfRun: number;
  readonly idempotencyHours: number;
  readonly secretCacheMs: number;
  readonly secretCacheEntries: number;
  readonly definitionCacheEntries: number;
  readonly egress: {
    readonly ports: readonly number[];
    /** Exact origins that may be plain HTTP and private: for development. */
    readonly privateOrigins: readonly string[];
    /** Origins to which connections are kept at once. */
    readonly maxAgents: number;
    readonly connectionsPerOrigin: number;
    readonly connectMs: number;
  };
}
