import { callerScope } from '@agentstore/kernel/access';
import { hashOf } from '@agentstore/kernel/canonical-json';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import { projectById } from '../organizations/organizations.store.ts';
import { claimWrite, insertBinding } from './bindings.store.ts';
import {
  secretFault,
  type Binding,
  type BindingRefusal,
  type Connector,
  type SecretField,
} from './connector.ts';
import { connectorBySlug, connectorsById } from './connectors.store.ts';
import { storeSecret } from './store-secret.ts';

/** Which connector: by its id, or by the slug under which the organization reaches it. */
type Which = { readonly connectorId: Uuid | undefined } | { readonly slug: string };

export type BindingRequest = {
  readonly projectId: Uuid | undefined;
  readonly connector: Which;
  readonly name: string;
  readonly secret: readonly SecretField[];
  readonly idempotencyKey: string;
};

/**
 * Gives a project's secret for a connector, once per key: the row, then the secret, then the row says ACTIVE and the instances that call the connector get a
 * new generation. Whatever ends in between is finished by the same command under the same key. The secret is no part of what a key stands for: nothing
 * of it is kept to compare it with.
 */
export async function bindConnector(
  room: Room,
  caller: Caller,
  input: BindingRequest,
): Promise<Outcome<Binding, BindingRefusal>> {
  const { projectId, name, secret, idempotencyKey } = input;
  if (!/^[\x20-\x7e]{1,200}$/.test(idempotencyKey))
    return refused({
      code: 'INVALID_INPUT',
      message: 'The idempotency key must have 1 to 200 printable ASCII characters.',
      field: 'idempotencyKey',
    });
  if (!name.trim() || name.length > 100)
    return refused({
      code: 'INVALID_INPUT',
      message: 'The name must have 1 to 100 characters.',
      field: 'name',
    });
  const scope = callerScope(caller, 'connector:manage');
  const begun = await room.db.transaction(
    scope,
    async (tx): Promise<Outcome<{ binding: Binding; claimed: boolean }, BindingRefusal>> => {
      const project = projectId && (await projectById(tx, projectId));
      if (!project)
        return refused({
          code: 'PROJECT_NOT_FOUND',
          message: 'There is no such project.',
          field: 'projectId',
        });
      const connector = await connectorFor(tx, project.organizationId, input.connector);
      if (!connector)
        return refused({
          code: 'CONNECTOR_NOT_FOUND',
          message: 'There is no such connector.',
          field: 'connectorId',
        });
      if (!connector.secretFields.length)
        return refused({
          code: 'INVALID_INPUT',
          message: 'This connector needs no secret.',
          field: 'connectorId',
        });
      const fault = secretFault(connector.secretFields, secret);
      if (fault) return refused(fault);
      const requestHash = hashOf({ projectId, connectorId: connector.id, name });
      const { organizationId } = project;
      const binding = await insertBinding(tx, {
        organizationId,
        projectId: project.id,
        connectorId: connector.id,
        name,
        idempotencyKey,
        requestHash,
      });
      if (binding.requestHash !== requestHash)
        return refused({
          code: 'IDEMPOTENCY_CONFLICT',
          message: 'This key was used for another binding.',
          field: 'idempotencyKey',
        });
      return done({ binding, claimed: binding.state === 'PENDING' && (await claimWrite(tx, binding.id)) });
    },
  );
  if (!begun.ok) {
    if (projectId && begun.error.code === 'PROJECT_NOT_FOUND')
      await forbidInsiders(room.db, caller, {
        needs: 'connector:manage',
        sees: 'organization:read',
        find: (tx) => projectById(tx, projectId),
      });
    return begun;
  }
  const { binding, claimed } = begun.value;
  return claimed ? storeSecret(room, scope, { binding, secret }) : done(binding);
}

/** The connector, when it is the store's or the organization's own: whoever belongs to two of them binds nothing of the one in the other. */
async function connectorFor(tx: Tx, organizationId: Uuid, which: Which): Promise<Connector | undefined> {
  if ('slug' in which) return connectorBySlug(tx, organizationId, which.slug);
  const [connector] = which.connectorId ? await connectorsById(tx, [which.connectorId]) : [];
  return connector && [null, organizationId].includes(connector.organizationId) ? connector : undefined;
}
