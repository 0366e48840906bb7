import { pgSchema, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { Permission } from '@agentstore/kernel/permissions';

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** The table of migration 0001. */
export const apiKeys = pgSchema('control_plane').table('api_key', {
  id: uuid('id').primaryKey(),
  organizationId: uuid('organization_id').notNull(),
  name: text('name').notNull(),
  prefix: text('prefix').notNull(),
  hash: text('hash').notNull(),
  scopes: text('scopes').array().$type<Permission[]>().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  lastUsedAt: at('last_used_at'),
  expiresAt: at('expires_at'),
  revokedAt: at('revoked_at'),
});
