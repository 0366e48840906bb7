/** Whether a missing recording is a failure: in CI everything that can be compared must be. */
export const inCi = process.env['CI'] === 'true';
