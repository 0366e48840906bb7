/** One observed fact about an applied resource (Kubernetes' condition), or about the way into Git. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  /** Kind of the resource; `Git` on the way there. */
  readonly resource: string;
}
