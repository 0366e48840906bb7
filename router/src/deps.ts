import type { JSONWebKeySet } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import type { InternalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import type { WidgetTokenSigner } from '@agentstore/kernel/auth/widget-token';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';

/** Limits of one operation. */
export interface Limits {
  readonly depth: number;
  readonly tokens: number;
  readonly aliases: number;
  readonly rootFields: number;
}

/** How long streams are trusted. */
export interface StreamTimes {
  /** How often it is asked whether a stream's credential still holds. */
  readonly recheckMs: number;
  /** How long a subgraph may say nothing on a stream, not even a comment. */
  readonly silenceMs: number;
}

/** Widgets on pages of other sites. */
export interface WidgetSettings {
  readonly signToken: WidgetTokenSigner;
  /** How long one of its tokens is good. */
  readonly tokenSeconds: number;
  /** How often a minute one address, one widget and one visitor may ask for a session. */
  readonly initsPerMinute: { readonly address: number; readonly key: number; readonly visitor: number };
  /** How many proxies of ours stand before the router and add to X-Forwarded-For. */
  readonly proxies: number;
  /** What a widget is told to keep to. */
  readonly limits: { readonly inputCharacters: number; readonly attachmentBytes: number };
  /** Where the built widget lies; undefined serves none. */
  readonly dir?: string | undefined;
  /** A page that shows the widget, on another origin. */
  readonly demoUrl?: string | undefined;
}

/** What the router needs from outside. */
export interface Deps {
  readonly log: Log;
  readonly publicOrigin: string;
  readonly supergraphFile: string;
  readonly issuer: { readonly url: string; readonly audience: string; readonly keys: JWTVerifyGetKey };
  readonly signInternal: InternalTokenSigner;
  /** Public part of the internal key. */
  readonly internalJwks: JSONWebKeySet;
  /** Subgraphs of ours by their name in the supergraph. */
  readonly subgraphs: Readonly<Record<string, ServiceClient>>;
  readonly controlPlane: ServiceClient;
  readonly gitops: ServiceClient;
  readonly saleorApiUrl: string;
  readonly staffEmails: readonly string[];
  /** Where the built GraphiQL lies, and the public client it signs in as; undefined serves none. */
  readonly graphiql?: { readonly dir: string; readonly clientId: string } | undefined;
  readonly introspection: 'everybody' | 'signed-in';
  readonly limits: Limits;
  readonly maxBodyBytes: number;
  readonly subgraphDeadlineMs: number;
  readonly streams: StreamTimes;
  readonly widget: WidgetSettings;
}
