import { inspect } from 'node:util';
import type { Secret } from './secret-store.ts';

/** Fields that neither an inspection nor JSON shows. */
class HiddenFields extends Map<string, Buffer> {
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/** A secret whose fields show as `[secret]` in logs, errors and JSON. */
export const secretOf = (version: number, fields: Readonly<Record<string, string>>): Secret => ({
  version,
  fields: new HiddenFields(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value)])),
});

/** The same secret in bytes of its own, which may be overwritten without the other's. */
export const copyOfSecret = ({ version, fields }: Secret): Secret => ({
  version,
  fields: new HiddenFields([...fields].map(([name, value]) => [name, Buffer.from(value)])),
});
