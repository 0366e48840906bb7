import fs from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { apiVersion, type Manifest } from '../desired/manifests.ts';
import { kinds, subjectOfKind, subjects, type Kind } from '../desired/subjects.ts';

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

/** A file as far as it could be read. */
export interface Read {
  /** There when nothing is wrong with it. */
  readonly manifest?: Manifest;
  /** What is wrong, in words. */
  readonly fault?: string;
  /** The generation it speaks of, also when something else in it is wrong. */
  readonly generation?: number;
}

const greatestGeneration = 2_147_483_647;

/** Reads a file that stands for one kind of one subject, whose id is `instanceId`: it has to be that kind, under that name, about that subject. */
export function readManifest(
  text: string,
  validators: Readonly<Record<Kind, ValidateFunction>>,
  expected: { readonly kind: Kind; readonly instanceId: string },
): Read {
  let value: Partial<Manifest> | null;
  try {
    value = parse(text) as Partial<Manifest> | null;
  } catch (error) {
    return { fault: `not YAML: ${(error as Error).message.split('\n')[0]}` };
  }
  const said = value?.spec?.generation;
  const generation =
    Number.isInteger(said) && said! > 0 && said! <= greatestGeneration ? { generation: said! } : {};
  const fault = faultOf(value, validators, expected);
  return fault === undefined ? { ...generation, manifest: value as Manifest } : { ...generation, fault };
}

function faultOf(
  value: Partial<Manifest> | null,
  validators: Readonly<Record<Kind, ValidateFunction>>,
  { kind, instanceId }: { readonly kind: Kind; readonly instanceId: string },
): string | undefined {
  if (value?.kind !== kind) return `kind is ${String(value?.kind)}, and the file is that of a ${kind}`;
  if (value.apiVersion !== apiVersion) return `apiVersion is not ${apiVersion}`;
  const validate = validators[kind];
  if (!validate(value))
    return (validate.errors ?? [])
      .slice(0, 5)
      .map((e) => `${e.instancePath || '/'} ${e.message}`)
      .join('; ');
  if (value.metadata?.name !== instanceId) return 'metadata.name is not the folder it stands in';
  const { idMember } = subjects[subjectOfKind(kind)];
  if (value.spec?.[idMember] !== instanceId) return `spec.${idMember} is not the folder it stands in`;
  return undefined;
}
