/** This process is being stopped: what was asked for goes on elsewhere. Clients see `GOING_AWAY`. */
export class GoingAwayError extends Error {
  override readonly name = 'GoingAwayError';
}
