import type { Branding } from './branding.ts';

/** What the router asks the control plane when a page wants to talk: `POST /internal/widget-sessions:init`, permission `widget:session`. */
export interface WidgetSessionRequest {
  /** Public key of an instance's widget, `wk_…`. */
  readonly widgetKey: string;
  /** The Origin header as the browser sent it. */
  readonly origin: string;
  /** Of an earlier answer: the visitor goes on with it. It is used up by this request. */
  readonly handle?: string | undefined;
  /** A JWT by which the customer's own server says who the visitor is. */
  readonly identity?: string | undefined;
}

/** The answer. Refused with a problem: WIDGET_NOT_FOUND 404, ORIGIN_NOT_ALLOWED 403, SESSION_REVOKED 401, IDENTITY_INVALID 401, and with `branding` INSTANCE_PAUSED or INSTANCE_NOT_READY 409. */
export interface WidgetSession {
  readonly sessionId: string;
  readonly visitorId: string;
  readonly instanceId: string;
  readonly organizationId: string;
  /** Normalised: what tokens are bound to. */
  readonly origin: string;
  readonly spendCap: string;
  /** Opaque; for the next init. */
  readonly handle: string;
  /** Whether the visitor is one whom the customer vouched for. */
  readonly identified: boolean;
  readonly branding: Branding;
}

/** `POST /internal/widget-sessions:verify` `{sessionId}`: 204 while the session may go on, else a problem SESSION_REVOKED 401, or INSTANCE_PAUSED 409. `:end` `{handle}`: 204, the session is over. */
export interface WidgetSessionCheck {
  readonly sessionId: string;
}
