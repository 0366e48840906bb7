import type { ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import type { Secret } from '@agentstore/kernel/vault/secret-store';
import { ToolRefusal } from '../calls/refusals.ts';

/** Names of headers that carry the gateway's own business or the connection's: nothing of a call may set them. */
const reserved = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'idempotency-key',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
]);

/** True for a header that an argument may fill. */
export const isFreeHeader = (name: string, { auth }: Pick<ConnectorDefinition, 'auth'>): boolean =>
  /^[A-Za-z0-9-]{1,64}$/.test(name) &&
  !reserved.has(name.toLowerCase()) &&
  !/^(x-forwarded-|mcp-|sec-)/i.test(name) &&
  !(auth.type === 'HEADER' && auth.name.toLowerCase() === name.toLowerCase());

/**
 * The header with which a connector's secret goes to its upstream; null when it needs none. Made for one request at the last moment, because a string
 * cannot be overwritten. Throws BINDING_SECRET_MISSING for a field that is not there or cannot be a header's value.
 */
export function credentialHeader(
  { auth }: Pick<ConnectorDefinition, 'auth'>,
  secret: Secret | null,
): readonly [name: string, value: string] | null {
  const field = (name: string): Buffer => {
    const value = secret?.fields.get(name);
    if (!value?.length) throw new ToolRefusal('BINDING_SECRET_MISSING');
    return value;
  };
  switch (auth.type) {
    case 'NONE':
      return null;
    case 'BEARER':
      return ['authorization', headerValue(`Bearer ${field(auth.field).toString()}`)];
    case 'HEADER':
      return [auth.name.toLowerCase(), headerValue(auth.prefix + field(auth.field).toString())];
    case 'BASIC': {
      const pair = Buffer.concat([field(auth.usernameField), Buffer.from(':'), field(auth.passwordField)]);
      const value = `Basic ${pair.toString('base64')}`;
      pair.fill(0);
      return ['authorization', value];
    }
  }
}

function headerValue(text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text)) throw new ToolRefusal('BINDING_SECRET_MISSING');
  return text;
}
