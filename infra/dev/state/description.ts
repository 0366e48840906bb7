import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from './secrets.ts';

/** What `npm start` says about the running store, for people and for scripts alike (`.agentstore/dev.json`). */
export interface DevDescription {
  readonly startedAt: string;
  readonly pid: number;
  readonly urls: {
    readonly origin: string;
    readonly graphql: string;
    readonly graphqlWs: string;
    readonly rest: string;
    readonly graphiql: string;
    readonly openApi: string;
    readonly identity: string;
    readonly shop: string;
    readonly provisioner: string;
    readonly objects: string;
    readonly runtime: string;
    readonly model: string;
    /** REST at `/v1/tools/{toolId}:invoke`, MCP at `/mcp`. */
    readonly tools: string;
    readonly vault: string;
    /** A customer's website that carries the widget. */
    readonly site: string;
    /** Leads there. */
    readonly widgetDemo: string;
    readonly database: string;
  };
  readonly directories: {
    readonly state: string;
    /** Outside the state directory for root under a closed home; null when the database is somebody else's. */
    readonly database: string | null;
    readonly git: string;
  };
  readonly runtime: string;
  readonly users: readonly {
    readonly email: string;
    readonly password: string;
    readonly roles: readonly string[];
  }[];
  readonly oidc: { readonly issuer: string; readonly clientId: string; readonly audience: string };
  readonly shop: {
    readonly channel: string;
    readonly productId: string;
    readonly admin: { readonly email: string; readonly password: string };
  };
  readonly offering: {
    readonly slug: string;
    readonly id: string;
    readonly versionId: string;
    readonly artifactSha256: string;
    /** Ids of the plans, by code; `trial` is not for sale. */
    readonly plans: Readonly<Record<string, string>>;
    /** The shop's variants that are bought to get a plan, by the plan's code. */
    readonly variants: Readonly<Record<string, string>>;
    /** The shop's variants that top a wallet up, by their credits. */
    readonly creditPacks: Readonly<Record<string, string>>;
    /** What a run needs available, in micro-credits. */
    readonly reservePerRun: string;
  };
  /** The demo organization's; absent until the main job ran once. */
  readonly demo: {
    readonly organizationId: string;
    readonly projectId: string;
    readonly instanceId: string;
    /** Of the agent that calls tools. */
    readonly toolInstanceId: string;
    /** Of the agent that answers from documents. */
    readonly knowledgeInstanceId: string;
    /** Of the same agent, for pages. */
    readonly widgetKey: string;
    readonly apiKey: string;
  } | null;
}

const fileIn = (stateDir: string): string => path.join(stateDir, 'dev.json');

/** Readable by its owner alone: it holds an API key. */
export const writeDescription = (stateDir: string, description: DevDescription): void =>
  writeAtomically(fileIn(stateDir), `${JSON.stringify(description, null, 2)}\n`, 0o600);

export function readDescription(stateDir: string): DevDescription | undefined {
  return fs.existsSync(fileIn(stateDir))
    ? (JSON.parse(fs.readFileSync(fileIn(stateDir), 'utf8')) as DevDescription)
    : undefined;
}
