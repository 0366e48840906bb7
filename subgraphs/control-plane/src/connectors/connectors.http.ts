import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid } from '@agentstore/kernel/ids';
import type { Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { bindConnector } from './bind-connector.ts';
import { noteUses } from './bindings.store.ts';
import { revokeBinding } from './change-binding.ts';
import type { Binding, BindingRefusal } from './connector.ts';
import { definitionBySha256 } from './connectors.store.ts';
import { readDefinition } from './definition-faults.ts';
import { registerConnector } from './register-connector.ts';
import { secretFields } from './secret-fields.ts';

const uses = z
  .array(
    z.object({
      bindingId: z.uuid(),
      usedAt: z.iso.datetime().optional(),
      unauthorized: z.literal(true).optional(),
    }),
  )
  .max(500);

/** For whoever sets the store up, for the tool gateway, and for services that bind. */
export function connectorRoutes(app: ServiceApp, room: Room): void {
  app.put('/internal/connectors', async (c) => {
    const scope = serviceScope(c.var.caller, 'offering:publish');
    const read = readDefinition(await readJson(c, z.unknown()));
    if ('fault' in read)
      throw new ProblemError({ status: 400, code: 'INVALID_DEFINITION', title: `${read.fault}.` });
    const { id, sha256 } = await room.db.transaction(scope, (tx) =>
      registerConnector(tx, null, read.definition),
    );
    return json({ connectorId: id, sha256 });
  });
  app.get('/internal/connector-definitions/:sha256', async (c) => {
    const scope = serviceScope(c.var.caller, 'connector:read');
    const definition = await room.db.transaction(scope, (tx) =>
      definitionBySha256(tx, c.req.param('sha256')),
    );
    if (!definition)
      throw new ProblemError({
        status: 404,
        code: 'CONNECTOR_DEFINITION_NOT_FOUND',
        title: 'No connector was ever registered with this sha256.',
      });
    return json(definition);
  });
  app.post('/internal/bindings:observed', async (c) => {
    const scope = serviceScope(c.var.caller, 'connector:read');
    const { items } = await readJson(c, z.object({ items: uses }));
    await room.db.transaction(scope, (tx) => noteUses(tx, items));
    return json({});
  });
  app.post('/connectors/bindings', async (c) => {
    serviceScope(c.var.caller, 'connector:manage');
    const body = await readJson(
      c,
      z.object({
        projectId: z.uuid(),
        connector: z.string(),
        name: z.string(),
        secret: secretFields,
        idempotencyKey: z.string(),
      }),
    );
    return answer(await bindConnector(room, c.var.caller, { ...body, connector: { slug: body.connector } }));
  });
  app.post('/connectors/bindings/:id/revoke', async (c) => {
    serviceScope(c.var.caller, 'connector:manage');
    const id = c.req.param('id');
    return answer(await revokeBinding(room, c.var.caller, isUuid(id) ? id : undefined));
  });
}

const statusOf: Readonly<Record<BindingRefusal['code'], number>> = {
  PROJECT_NOT_FOUND: 404,
  CONNECTOR_NOT_FOUND: 404,
  BINDING_NOT_FOUND: 404,
  BINDING_REVOKED: 409,
  VERSION_CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  SECRET_FIELDS_MISMATCH: 400,
  INVALID_SECRET: 400,
  INVALID_INPUT: 400,
  SECRET_STORE_UNAVAILABLE: 503,
};

function answer(outcome: Outcome<Binding, BindingRefusal>): Response {
  if (outcome.ok) return json(outcome.value);
  const { code, message } = outcome.error;
  throw new ProblemError({ status: statusOf[code], code, title: message });
}
