/** A shop to fill or to pay in, with a superuser's tokens; a RunningShop has it. */
export interface SeedTarget {
  readonly url: string;
  staffToken(): Promise<string>;
}
