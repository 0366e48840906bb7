import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { DesiredPhase, InstanceState } from '../instances/instance.ts';
import type { IdentityKey } from './identity-key.ts';

/** An instance as its widget's pages name it. */
export interface Widget {
  readonly instanceId: Uuid;
  readonly organizationId: Uuid;
  readonly widgetKey: string;
  readonly identityKeys: readonly IdentityKey[];
  readonly state: InstanceState;
  readonly desiredPhase: DesiredPhase;
}

const columns = `id as "instanceId", organization_id as "organizationId", widget_key as "widgetKey", widget_identity_keys as "identityKeys", state, desired_phase as "desiredPhase"`;

export async function widgetByKey(tx: Tx, widgetKey: string): Promise<Widget | undefined> {
  const [row] = await tx.sql<Widget>(
    `-- widgetByKey\n select ${columns} from instance where widget_key = $1`,
    [widgetKey],
  );
  return row;
}

export async function widgetOf(tx: Tx, instanceId: Uuid): Promise<Widget | undefined> {
  const [row] = await tx.sql<Widget>(`-- widgetOf\n select ${columns} from instance where id = $1`, [
    instanceId,
  ]);
  return row;
}

export const setIdentityKeys = (tx: Tx, instanceId: Uuid, keys: readonly IdentityKey[]) =>
  tx.sql('-- setIdentityKeys\n update instance set widget_identity_keys = $2 where id = $1', [
    instanceId,
    JSON.stringify(keys),
  ]);

/** Gives the widget another key; pages with the one before find nothing. */
export const renewWidgetKey = (tx: Tx, instanceId: Uuid) =>
  tx.sql('-- renewWidgetKey\n update instance set widget_key = new_widget_key() where id = $1', [instanceId]);

/** The visitor whom a site vouches for, made when it is the first time. */
export async function vouchedVisitor(
  tx: Tx,
  widget: Pick<Widget, 'instanceId' | 'organizationId'>,
  subjectHash: string,
): Promise<Uuid> {
  const [row] = await tx.sql<{ visitorId: Uuid }>(
    `-- vouchedVisitor
     insert into widget_visitor (instance_id, subject_sha256, organization_id, visitor_id) values ($1, $2, $3, $4)
     on conflict (instance_id, subject_sha256) do update set visitor_id = widget_visitor.visitor_id returning visitor_id as "visitorId"`,
    [widget.instanceId, subjectHash, widget.organizationId, crypto.randomUUID()],
  );
  return row!.visitorId;
}
