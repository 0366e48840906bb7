import type { SaleorAccess } from '../../saleor/ask-saleor.ts';

/** A Saleor to look at, and what it should be connected to. */
export interface SaleorPatient {
  readonly access: SaleorAccess;
  /** Origin under which clients reach the router. */
  readonly publicOrigin: string;
  /** Where the provisioner's manifest is; the one the app was installed from when undefined. */
  readonly manifestUrl: string | undefined;
  /** Issuer of user tokens; its keys are compared with the plugin's when it is known. */
  readonly issuer: string | undefined;
  /** `aud` of user tokens. */
  readonly audience: string;
  /** Slug of the channel that is sold in. */
  readonly channel: string;
  /** Longest wait for one answer of Saleor, the router or the provisioner. */
  readonly deadlineMs: number;
}
