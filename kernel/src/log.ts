import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/**
 * Names of members whose value never reaches a log line, however deep, in any case and with any prefix (`X-Api-Key`, `clientSecret`,
 * `OIDC_CLIENT_SECRET`). A bare `key` is none: facts and commands are known by theirs.
 */
const secretName =
  'authorization|cookie|api[-_]?key|password|secret|token|private[-_]?(?:key|jwk)|secret[-_]?key|access[-_]?key|globals|database[-_]?url|admin[-_]?url';
const secretMember = new RegExp(`(?:${secretName})$`, 'i');
const hasSecretMember = new RegExp(`"[\\w-]*(?:${secretName})":`, 'i');

/** The same inside a text that is JSON itself, or a dump of headers: the quotes are escaped there. */
const quotedMember = new RegExp(`(\\\\"[\\w-]*(?:${secretName})\\\\"\\s*:\\s*\\\\")(?:(?!\\\\").)*`, 'gi');

/** Patterns of secrets inside free text: API keys, JWTs, the password of a URL, the credentials of a header. */
const secretText =
  /\bask_[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?|(?<=:\/\/[^\s:/@"]{1,64}:)[^\s@/"]+(?=@)|(?<=\b(?:bearer|basic) )(?!tokens?\b|auth)[\w.~+/=-]+/gi;

/** Replaces what looks like a secret in free text. */
export const redactText = (text: string): string =>
  text.replace(secretText, '[redacted]').replace(quotedMember, '$1[redacted]');

/** One line of JSON without secrets. It is read again only when a member's name says that it has one. */
function redactLine(line: string): string {
  const redacted = redactText(line);
  if (!hasSecretMember.test(redacted)) return redacted;
  const read: unknown = JSON.parse(redacted, (name, value: unknown) =>
    secretMember.test(name) && value !== null ? '[redacted]' : value,
  );
  return `${JSON.stringify(read)}\n`;
}

/**
 * Structured log of one process, JSON lines. Secret members and secret-looking text are redacted before a line is written.
 * `level` is pino's (`trace` … `fatal`, `silent`).
 */
export function createLog(options: { name: string; level?: string; destination?: DestinationStream }): Log {
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: { name: options.name },
      hooks: { streamWrite: redactLine },
      serializers: { err: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination({ fd: 2, sync: false }),
  );
}

/** For tests and library defaults: writes nothing. */
export const silentLog: Log = pino({ level: 'silent' });
