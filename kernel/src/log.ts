import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/** Members whose value never reaches a log line, wherever they stand. */
const secretKeys = [
  'authorization',
  'authorization-bearer',
  'cookie',
  'set-cookie',
  'x-api-key',
  'password',
  'secret',
  'clientSecret',
  'client_secret',
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'auth_token',
  'apiKey',
  'key',
  'globals',
  'databaseUrl',
];

/** Patterns of our own secrets inside free text: API keys, JWTs, basic credentials in URLs. */
const secretText =
  /\bask_[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?|(?<=:\/\/[^\s:/@]{1,64}:)[^\s@/]+(?=@)/g;

/** Replaces what looks like a secret in free text. */
export const redactText = (text: string): string => text.replace(secretText, '[redacted]');

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
      redact: {
        paths: secretKeys.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]),
        censor: '[redacted]',
      },
      hooks: { streamWrite: redactText },
      serializers: { err: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination({ fd: 2, sync: false }),
  );
}

/** For tests and library defaults: writes nothing. */
export const silentLog: Log = pino({ level: 'silent' });
