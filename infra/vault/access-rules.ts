/** Version 2 of the key-value engine; every write says which version it replaces, and the last five are kept. */
export const secretsMount = {
  path: 'kv',
  config: { cas_required: true, max_versions: 5 },
} as const;

/** A kind of process and what it may do with the secrets of the organization and project that its login names. */
export interface ProcessAccess {
  /** Path of its own auth mount: no other process can sign a login for it. */
  readonly mount: string;
  readonly role: string;
  readonly policy: string;
  /** By the part of the engine's API. */
  readonly may: Readonly<Record<string, readonly string[]>>;
}

/** The gateway reads and does nothing else; the control plane writes and removes, and can read nothing back. */
export const processAccess = {
  tools: {
    mount: 'agentstore-tools',
    role: 'tool-gateway',
    policy: 'agentstore-tools-read',
    may: { data: ['read'] },
  },
  controlPlane: {
    mount: 'agentstore-control-plane',
    role: 'connector-writer',
    policy: 'agentstore-connectors-write',
    may: { data: ['create', 'update'], metadata: ['delete'] },
  },
} as const satisfies Record<string, ProcessAccess>;

/** HCL. The organization and the project are those of the newest login of whoever asks, so a login's `sub` must name both. */
export function policyText({ may }: ProcessAccess, accessor: string): string {
  const of = (name: string): string => `{{identity.entity.aliases.${accessor}.metadata.${name}}}`;
  return Object.entries(may)
    .map(
      ([part, capabilities]) =>
        `path "${secretsMount.path}/${part}/connectors/${of('org')}/${of('project')}/+" { capabilities = ${JSON.stringify(capabilities)} }\n`,
    )
    .join('');
}

/** Tokens live for five minutes, are not stored by Vault and cannot be renewed. */
export const roleSettings = ({ policy }: ProcessAccess) => ({
  role_type: 'jwt',
  bound_audiences: ['vault'],
  user_claim: 'sub',
  claim_mappings: { org: 'org', project: 'project' },
  token_policies: [policy],
  token_type: 'batch',
  token_ttl: 300,
  token_max_ttl: 300,
});
