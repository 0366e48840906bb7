/** What the router acts on of an applied GatewayRoute. */
export interface RouteSpec {
  readonly paused: boolean;
  readonly desiredPhase: 'Active' | 'Paused' | 'Terminated';
}
