import type { Membership } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Role } from '@agentstore/kernel/permissions';

export interface User {
  readonly id: Uuid;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly saleorUserId: string | null;
}
export interface Organization {
  readonly id: Uuid;
  readonly slug: string;
  readonly name: string;
  readonly createdAt: Date;
}
export interface Project {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly slug: string;
  readonly name: string;
}

/** The person behind a token, known by issuer and subject; e-mail and name follow the token. */
export async function upsertUser(
  tx: Tx,
  input: {
    issuer: string;
    subject: string;
    email: string;
    emailVerified: boolean;
    displayName?: string | undefined;
  },
): Promise<User> {
  const [row] = await tx.sql<User>(
    `-- upsertUser
     insert into users (id, issuer, subject, email, email_verified, display_name) values ($1, $2, $3, $4, $5, $6)
     on conflict (issuer, subject) do update set email = excluded.email, email_verified = excluded.email_verified, display_name = coalesce(excluded.display_name, users.display_name)
     returning id, email, email_verified as "emailVerified", display_name as "displayName", saleor_user_id as "saleorUserId"`,
    [uuidv7(), input.issuer, input.subject, input.email, input.emailVerified, input.displayName ?? null],
  );
  return row!;
}

/** Binds a person to the shop's, once; the person when that was now, undefined when either was bound before. */
export async function setSaleorUser(tx: Tx, userId: Uuid, saleorUserId: string): Promise<User | undefined> {
  const [row] = await tx.sql<User>(
    `-- setSaleorUser
     update users set saleor_user_id = $2 where id = $1 and saleor_user_id is null and not exists (select from users where saleor_user_id = $2)
     returning id, email, email_verified as "emailVerified", display_name as "displayName", saleor_user_id as "saleorUserId"`,
    [userId, saleorUserId],
  );
  return row;
}

/** By Saleor's id of the person, else by verified e-mail. */
export async function userOfShop(
  tx: Tx,
  by: { saleorUserId: string | null; email: string | null },
): Promise<User | undefined> {
  const [row] = await tx.sql<User>(
    `-- userOfShop
     select id, email, email_verified as "emailVerified", display_name as "displayName", saleor_user_id as "saleorUserId" from users
     where saleor_user_id = $1 or ($2::text is not null and email_verified and lower(email) = lower($2)) order by (saleor_user_id = $1) desc nulls last, id limit 1`,
    [by.saleorUserId, by.email],
  );
  return row;
}

export const membershipsOf = (tx: Tx, userId: Uuid) =>
  tx.sql<Membership>(
    '-- membershipsOf\n select organization_id as "organizationId", role from membership where user_id = $1 order by created_at, organization_id',
    [userId],
  );

/** A person in an organization. */
export interface Member {
  readonly userId: Uuid;
  readonly organizationId: Uuid;
  readonly role: Role;
  readonly email: string;
  readonly saleorUserId: string | null;
}
const memberColumns = `u.id as "userId", m.organization_id as "organizationId", m.role, u.email, u.saleor_user_id as "saleorUserId"`;

export async function memberOf(tx: Tx, organizationId: Uuid, userId: Uuid): Promise<Member | undefined> {
  const [row] = await tx.sql<Member>(
    `-- memberOf
     select ${memberColumns} from membership m join users u on u.id = m.user_id where m.organization_id = $1 and u.id = $2`,
    [organizationId, userId],
  );
  return row;
}

export const membersOf = (tx: Tx, organizationId: Uuid, page: PageRequest) =>
  tx.sql<Member>(
    `-- membersOf
     select ${memberColumns} from membership m join users u on u.id = m.user_id
     where m.organization_id = $1 and ($2::uuid is null or u.id > $2) order by u.id limit $3`,
    [organizationId, page.afterKey, page.first + 1],
  );

export async function organizationById(tx: Tx, id: Uuid): Promise<Organization | undefined> {
  const [row] = await tx.sql<Organization>(
    '-- organizationById\n select id, slug, name, created_at as "createdAt" from organization where id = $1',
    [id],
  );
  return row;
}

export async function projectById(tx: Tx, id: Uuid): Promise<Project | undefined> {
  const [row] = await tx.sql<Project>(
    '-- projectById\n select id, organization_id as "organizationId", slug, name from project where id = $1',
    [id],
  );
  return row;
}

export const projectsById = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Project>(
    '-- projectsById\n select id, organization_id as "organizationId", slug, name from project where id = any ($1)',
    [ids],
  );

/** Oldest first. */
export const projectsOf = (tx: Tx, organizationId: Uuid, page: PageRequest = { first: 99, afterKey: null }) =>
  tx.sql<Project>(
    `-- projectsOf
     select id, organization_id as "organizationId", slug, name from project where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [organizationId, page.afterKey, page.first + 1],
  );

export async function workspaceOf(
  tx: Tx,
  userId: Uuid,
): Promise<{ organizationId: Uuid; projectId: Uuid } | undefined> {
  const [row] = await tx.sql<{ organizationId: Uuid; projectId: Uuid }>(
    '-- workspaceOf\n select organization_id as "organizationId", project_id as "projectId" from workspace where user_id = $1',
    [userId],
  );
  return row;
}

/** One workspace is made at a time per person. */
export const lockWorkspace = (tx: Tx, userId: Uuid) =>
  tx.sql('-- lockWorkspace\n select id from users where id = $1 for update', [userId]);

export async function insertWorkspace(
  tx: Tx,
  input: { userId: Uuid; slug: string; name: string },
): Promise<{ organizationId: Uuid; projectId: Uuid }> {
  const [organizationId, projectId] = [uuidv7(), uuidv7()];
  await tx.sql(
    '-- insertWorkspace: organization\n insert into organization (id, slug, name) values ($1, $2, $3)',
    [organizationId, input.slug, input.name],
  );
  await tx.sql(
    "-- insertWorkspace: owner\n insert into membership (organization_id, user_id, role) values ($1, $2, 'OWNER')",
    [organizationId, input.userId],
  );
  await tx.sql(
    "-- insertWorkspace: project\n insert into project (id, organization_id, slug, name) values ($1, $2, 'default', 'Default')",
    [projectId, organizationId],
  );
  await tx.sql(
    '-- insertWorkspace\n insert into workspace (user_id, organization_id, project_id) values ($1, $2, $3)',
    [input.userId, organizationId, projectId],
  );
  return { organizationId, projectId };
}
