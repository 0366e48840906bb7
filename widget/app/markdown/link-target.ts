/**
 * The address a link may lead to, as the browser will read it, or null. Absolute http, https, mailto and tel only, by what the URL parser makes of it, and no
 * user name in it, which serves to show another host than the one that answers. Control and invisible characters never belong into one.
 */
export function linkTarget(address: string): string | null {
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(address)) return null;
  try {
    const { protocol, username, password, href } = new URL(address);
    return /^(https?|mailto|tel):$/.test(protocol) && !username && !password ? href : null;
  } catch {
    return null;
  }
}
