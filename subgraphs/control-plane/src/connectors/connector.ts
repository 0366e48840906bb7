import { canonicalJson } from '@agentstore/kernel/canonical-json';
import {
  toolIdOf,
  type ConnectorDefinition,
  type ConnectorTool,
} from '@agentstore/kernel/connector-definition';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Refusal } from '@agentstore/kernel/outcome';

type Json = Readonly<Record<string, unknown>>;

/** A way to tools: the store's own, or one organization's. */
export interface Connector {
  readonly id: Uuid;
  /** Null for the store's own. */
  readonly organizationId: Uuid | null;
  readonly slug: string;
  readonly sha256: string;
  readonly definition: ConnectorDefinition;
  readonly secretFields: readonly string[];
}

export type BindingState = 'PENDING' | 'ACTIVE' | 'NEEDS_REAUTHORIZATION' | 'REVOKED';

/** What is known of a secret that a project gave for a connector; the secret itself is in the secret store alone. */
export interface Binding {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly connectorId: Uuid;
  readonly name: string;
  readonly state: BindingState;
  /** The newest version known to be stored; 0 before the first. */
  readonly secretVersion: number;
  readonly createdAt: Date;
  readonly rotatedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export type ConnectorRefusal = Refusal & {
  readonly code:
    | 'ORGANIZATION_NOT_FOUND'
    | 'SLUG_TAKEN'
    | 'DOCUMENT_REFUSED'
    | 'AUTH_UNSUPPORTED'
    | 'NOTHING_TO_IMPORT'
    | 'INVALID_DEFINITION'
    | 'INVALID_INPUT';
};

export type BindingRefusal = Refusal & {
  readonly code:
    | 'PROJECT_NOT_FOUND'
    | 'CONNECTOR_NOT_FOUND'
    | 'BINDING_NOT_FOUND'
    | 'BINDING_REVOKED'
    | 'SECRET_FIELDS_MISMATCH'
    | 'INVALID_SECRET'
    | 'VERSION_CONFLICT'
    | 'IDEMPOTENCY_CONFLICT'
    | 'SECRET_STORE_UNAVAILABLE'
    | 'INVALID_INPUT';
};

/** What a version needs of one connector; part of its contract. */
export interface RequiredConnector {
  readonly connector: string;
  readonly tools: readonly string[];
  /** By tool: what its arguments have to satisfy besides the tool's own schema. */
  readonly arguments: Readonly<Record<string, Json>>;
}

/** How an instance narrows one tool: to arguments that satisfy a schema as well, or to nothing. */
export interface ToolRule {
  readonly tool: string;
  /** Left out, the tool is denied. */
  readonly arguments?: Json | undefined;
}

/** A required connector as an instance finds it: what it is now, and the secret that its project gave. */
export interface ReachableConnector {
  readonly slug: string;
  readonly sha256: string;
  readonly tools: readonly string[];
  readonly needsSecret: boolean;
  readonly bindingId: Uuid | null;
}

/** All that decides which tools an instance may call. */
export interface ToolAccess {
  readonly requiredConnectors: readonly RequiredConnector[];
  readonly toolRules: readonly ToolRule[];
  readonly reachableConnectors: readonly ReachableConnector[];
}

/** A rule of a ConnectorPolicy. */
export type PolicyRule =
  | { readonly tool: string; readonly action: 'Deny' }
  | {
      readonly tool: string;
      readonly action: 'Allow';
      /** The tool's own name in the definition. */
      readonly name: string;
      /** sha256 of the connector's definition. */
      readonly definition: string;
      readonly bindingId?: Uuid;
      readonly arguments?: Json;
    };

/**
 * The rules of an instance's policy, sorted by tool: every required tool that its connector has, when the connector needs no secret or the project gave
 * one, narrowed by the version and by the instance. Whatever has no rule is denied.
 */
export function policyRules(access: ToolAccess): PolicyRule[] {
  const own = new Map(access.toolRules.map((rule) => [rule.tool, rule]));
  const reachable = new Map(access.reachableConnectors.map((connector) => [connector.slug, connector]));
  const rules = access.requiredConnectors.flatMap((required) =>
    required.tools.flatMap((name): PolicyRule[] => {
      const tool = toolIdOf(required.connector, name);
      const narrowed = own.get(tool);
      if (narrowed && !narrowed.arguments) return [{ tool, action: 'Deny' }];
      const connector = reachable.get(required.connector);
      if (!connector?.tools.includes(name) || (connector.needsSecret && !connector.bindingId)) return [];
      const schemas = [required.arguments[name], narrowed?.arguments].filter(
        (schema) => schema !== undefined,
      );
      return [
        {
          tool,
          action: 'Allow',
          name,
          definition: connector.sha256,
          ...(connector.needsSecret ? { bindingId: connector.bindingId! } : {}),
          ...(schemas.length ? { arguments: schemas.length === 1 ? schemas[0]! : { allOf: schemas } } : {}),
        },
      ];
    }),
  );
  return rules.sort((a, b) => (a.tool < b.tool ? -1 : 1));
}

/** What a run of the instance is granted at the tool gateway. */
export function toolGrants(access: ToolAccess): { tools: string[]; bindings: Uuid[] } {
  const allowed = policyRules(access).filter((rule) => rule.action === 'Allow');
  const bindings = allowed.flatMap(({ bindingId }) => (bindingId ? [bindingId] : []));
  return { tools: allowed.map(({ tool }) => tool), bindings: [...new Set(bindings)].sort() };
}

/** Every tool that a version may be given, by its name at the gateway. */
export const requiredTools = (required: readonly RequiredConnector[]): string[] =>
  required.flatMap(({ connector, tools }) => tools.map((name) => toolIdOf(connector, name)));

/** Whether two lists hold the same names, each as often. */
export const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  canonicalJson([...one].sort()) === canonicalJson([...other].sort());

/** Whether a secret that was given for the one may still be sent by the other: to the same origin, under the same names. */
export const keepsSecrets = (
  before: Pick<Connector, 'definition' | 'secretFields'>,
  now: Pick<Connector, 'definition' | 'secretFields'>,
): boolean =>
  before.definition.origin === now.definition.origin && sameNames(before.secretFields, now.secretFields);

/** A field of a secret as it is given. */
export interface SecretField {
  readonly name: string;
  readonly value: string;
}

/** Most characters of one field. They go into headers, so they are printable ASCII. */
const usableSecret = /^[\x20-\x7e]{1,8192}$/;

/** What is wrong with a secret for a connector, never saying what was given. */
export function secretFault(
  expected: readonly string[],
  given: readonly SecretField[],
): BindingRefusal | undefined {
  if (
    !sameNames(
      expected,
      given.map(({ name }) => name),
    )
  )
    return {
      code: 'SECRET_FIELDS_MISMATCH',
      message: `The secret must have exactly these fields: ${expected.join(', ') || 'none, so there is nothing to bind'}.`,
      field: 'secret',
    };
  const unusable = given.find(({ value }) => !usableSecret.test(value));
  return (
    unusable && {
      code: 'INVALID_SECRET',
      message: `${unusable.name} must have 1 to 8192 printable ASCII characters.`,
      field: 'secret',
    }
  );
}

/** A tool that could not be taken over as it stands, or not at all. */
export interface ImportNote {
  /** Where it stands in what was imported: `GET /pets/{id}`, or the name of the tool. */
  readonly source: string;
  readonly imported: boolean;
  /** A sentence. */
  readonly message: string;
}

/** What was read from a document: how the upstream is reached and its tools, to be checked as a definition. */
export interface Imported {
  readonly origin: string;
  readonly path: string;
  readonly auth: ConnectorDefinition['auth'];
  readonly name: string;
  readonly tools: readonly ConnectorTool[];
  readonly notes: readonly ImportNote[];
}
