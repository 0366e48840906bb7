import { randomUUID } from 'node:crypto';
import { invalid, type VaultError } from './vault-error.ts';

/** What a client asked of the part below `/v1/`. */
export interface Exchange {
  readonly method: string;
  /** Decoded, without a slash at either end. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** What can be done at one path. An operation that is not there is answered 405. */
export interface Endpoint {
  /** Whether there is something: what is not, is created by a write; where nothing says, a write is an update. */
  readonly exists?: boolean;
  readonly needsSudo?: boolean;
  read?(): Answer;
  list?(): Answer;
  write?(): Answer;
  patch?(): Answer;
  delete?(): Answer;
}

/** The members of everything that is not an error. */
const envelope = (content: { data?: unknown; auth?: unknown; warnings?: readonly string[] }): object => ({
  request_id: randomUUID(),
  lease_id: '',
  renewable: false,
  lease_duration: 0,
  data: null,
  wrap_info: null,
  warnings: null,
  auth: null,
  ...content,
});

export const withData = (data: unknown, status = 200): Answer => ({ status, body: envelope({ data }) });
export const withAuth = (auth: unknown): Answer => ({ status: 200, body: envelope({ auth }) });
/** The answers about mounts carry their data twice. */
export const withDataTwice = (data: object): Answer => ({
  status: 200,
  body: { ...data, ...envelope({ data }) },
});
export const withWarning = (status: number, warning: string): Answer => ({
  status,
  body: envelope({ warnings: [warning] }),
});
export const done: Answer = { status: 204 };

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (field: string, expected: string): VaultError =>
  invalid(`error converting input for field "${field}": expected ${expected}`);

/** A member of the body, as Vault reads it; undefined when it is not there. */
export const field = {
  text(body: Exchange['body'], name: string): string | undefined {
    const value = body[name];
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(name, 'a string');
  },
  flag(body: Exchange['body'], name: string): boolean | undefined {
    const value = body[name];
    if (value === undefined || typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    throw wrong(name, 'a boolean');
  },
  /** Also seconds: a number, or its digits. */
  count(body: Exchange['body'], name: string): number | undefined {
    const value = body[name];
    if (value === undefined) return undefined;
    const read = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof read === 'number' && Number.isSafeInteger(read) && read >= 0) return read;
    throw wrong(name, 'a whole number');
  },
  texts(body: Exchange['body'], name: string): readonly string[] | undefined {
    const value = body[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value.split(',').map((one) => one.trim());
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    throw wrong(name, 'a list of strings');
  },
  record(body: Exchange['body'], name: string): Readonly<Record<string, unknown>> | undefined {
    const value = body[name];
    if (value === undefined || isRecord(value)) return value;
    throw wrong(name, 'a map');
  },
  textRecord(body: Exchange['body'], name: string): Readonly<Record<string, string>> | undefined {
    const value = field.record(body, name);
    if (!value) return undefined;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        if (typeof one !== 'string') throw wrong(name, 'strings as values');
        return [key, one];
      }),
    );
  },
};

/** Refuses what this server would otherwise ignore, although its sender counts on it. */
export function requireOffered(body: Exchange['body'], offered: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !offered.includes(name));
  if (unknown) throw invalid(`the dev Vault does not offer "${unknown}" here`);
}
