import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { IdentityKey } from './identity-key.ts';

const mostSeconds = 3_600;
const skewSeconds = 5;
const mostSubjectLength = 255;

/**
 * The sha256 of whom a customer's JWT is about; undefined when it does not hold: signed by no key of the instance, for another widget, without an end or with
 * one more than an hour away.
 */
export async function subjectHashOf(
  identity: string,
  widget: { readonly widgetKey: string; readonly identityKeys: readonly IdentityKey[] },
): Promise<string | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(
      identity,
      createLocalJWKSet({ keys: [...widget.identityKeys] }),
      {
        audience: widget.widgetKey,
        algorithms: ['ES256', 'EdDSA'],
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: skewSeconds,
        maxTokenAge: mostSeconds,
      },
    );
    const { sub, exp, iat } = payload;
    const isUsable =
      protectedHeader.kid !== undefined &&
      typeof sub === 'string' &&
      sub.length >= 1 &&
      sub.length <= mostSubjectLength &&
      sub.isWellFormed() && // others would be hashed alike
      exp! - iat! <= mostSeconds;
    return isUsable ? createHash('sha256').update(sub).digest('hex') : undefined;
  } catch {
    return undefined;
  }
}
