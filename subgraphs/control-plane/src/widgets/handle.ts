import { createHash, createHmac, randomBytes } from 'node:crypto';

/** What a visitor's browser keeps: 32 bytes. The first half names the session and stays, the second is replaced each time; whoever knows neither names nothing. */
export interface Handle {
  readonly text: string;
  readonly familyHash: string;
  readonly hash: string;
}

const halfBytes = 16;
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

const handleFrom = (bytes: Buffer): Handle => ({
  text: bytes.toString('base64url'),
  familyHash: sha256(bytes.subarray(0, halfBytes)),
  hash: sha256(bytes),
});

/** The first handle of a session. */
export const makeHandle = (): Handle => handleFrom(randomBytes(2 * halfBytes));

/** Undefined for what is no handle. */
export function parseHandle(text: string): Handle | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 2 * halfBytes && bytes.toString('base64url') === text
    ? handleFrom(bytes)
    : undefined;
}

/** The handle after this one. The same for all who ask by the same one: tabs that ask at once and answers that were lost do not lead two ways. */
export function nextHandle(handle: Handle, rotationKey: Buffer): Handle {
  const bytes = Buffer.from(handle.text, 'base64url');
  const fresh = createHmac('sha256', rotationKey).update(bytes).digest().subarray(0, halfBytes);
  return handleFrom(Buffer.concat([bytes.subarray(0, halfBytes), fresh]));
}
