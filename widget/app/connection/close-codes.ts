/** Of the store: the token is not good (any more). */
export const tokenRefused = 4403;
/** Of the store: the session was revoked. */
export const sessionRevoked = 4401;
/** Of graphql-ws, when we gave the socket up. */
export const terminated = 4499;

/** Codes of a bug, ours or the server's, by graphql-ws's own list: another try would end the same way. */
const faults = [4004, 4005, 4400, 4406, 4409, 4429, 4500];
const passingOfProtocol = [1005, 1006, 1012, 1013, 1014];

export const isFault = (code: number): boolean =>
  faults.includes(code) || (code > 1001 && code < 2000 && !passingOfProtocol.includes(code));
