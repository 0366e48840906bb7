import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Instance } from '../instances/instance.ts';
import {
  brandingFrom,
  type AskedBranding,
  type BrandingChange,
  type BrandingSettings,
  type InstanceBranding,
} from './branding.ts';

/** Branding of an instance that is known to be in the scope. `settings` are `room.branding`. */
export async function brandingOf(
  tx: Tx,
  instanceId: Uuid,
  settings: BrandingSettings,
): Promise<InstanceBranding> {
  const [row] = await tx.sql<{ name: string; asked: AskedBranding }>(
    `-- brandingOf
     select i.name, coalesce(b.asked, '{}') as asked from instance i left join branding b on b.instance_id = i.id where i.id = $1`,
    [instanceId],
  );
  return brandingFrom(row!.name, row!.asked, settings);
}

/** Writes over what was asked for before; null takes a member back to the store's default. The instance is locked. */
export async function writeBranding(
  tx: Tx,
  instance: Pick<Instance, 'id' | 'organizationId'>,
  change: BrandingChange,
): Promise<void> {
  await tx.sql(
    `-- writeBranding
     insert into branding as b (instance_id, organization_id, asked, changed_by) values ($1, $2, jsonb_strip_nulls($3::jsonb), $4)
     on conflict (instance_id) do update set asked = jsonb_strip_nulls(b.asked || $3::jsonb), changed_at = now(), changed_by = excluded.changed_by`,
    [instance.id, instance.organizationId, JSON.stringify(change), tx.scope.actor],
  );
}
