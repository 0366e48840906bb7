import fs from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { kinds, type Kind, type Manifest } from '../desired/manifests.ts';

const directory = path.join(import.meta.dirname, '../../../../infra/k8s/crds');

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: object };
    }[];
  };
}

/** One validator per kind, from the same CRDs that a cluster installs; members the schema does not name are refused, as a cluster prunes them. */
export function crdValidators(): Readonly<Record<Kind, ValidateFunction>> {
  const ajv = new Ajv({ strict: false, allErrors: true });
  return Object.fromEntries(
    kinds.map((kind) => {
      const crd = parse(
        fs.readFileSync(
          path.join(directory, `${kind.toLowerCase()}s.yaml`.replace('policys', 'policies')),
          'utf8',
        ),
      ) as Crd;
      return [kind, ajv.compile(closed(crd.spec.versions[0]!.schema.openAPIV3Schema))];
    }),
  ) as Record<Kind, ValidateFunction>;
}

/** The schema with `additionalProperties: false` wherever properties are listed, except at metadata, which Kubernetes owns. */
function closed(schema: object, name = ''): object {
  const copy: Record<string, unknown> = { ...schema };
  const properties = copy['properties'] as Record<string, object> | undefined;
  if (properties)
    copy['properties'] = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, closed(value, key)]),
    );
  if (copy['items']) copy['items'] = closed(copy['items'] as object);
  if (properties && name !== 'metadata') copy['additionalProperties'] = false;
  return copy;
}

/** What is wrong with a file, in words; the manifest when nothing is. */
export function readManifest(
  text: string,
  validators: Readonly<Record<Kind, ValidateFunction>>,
): { manifest?: Manifest; fault?: string } {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return { fault: `not YAML: ${(error as Error).message.split('\n')[0]}` };
  }
  const kind = (value as { kind?: unknown } | null)?.kind;
  const validate = typeof kind === 'string' ? validators[kind as Kind] : undefined;
  if (!validate) return { fault: `unknown kind ${String(kind as string)}` };
  if (validate(value)) return { manifest: value as Manifest };
  return {
    fault: (validate.errors ?? [])
      .slice(0, 5)
      .map((e) => `${e.instancePath || '/'} ${e.message}`)
      .join('; '),
  };
}
