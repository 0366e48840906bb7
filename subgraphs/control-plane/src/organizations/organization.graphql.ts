import { GraphQLError } from 'graphql';
import { callerScope, may, organizationScope, requireUser, systemScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, toGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { permissions, type Role } from '@agentstore/kernel/permissions';
import { builder, connection } from '../builder.ts';
import type { Room } from '../deps.ts';
import { UserRef } from '../references.graphql.ts';
import { makeWorkspace } from './make-workspace.ts';
import {
  membersOf,
  organizationById,
  projectById,
  projectsOf,
  type Member,
  type Organization,
  type Project,
} from './organizations.store.ts';

const missing = (what: string): GraphQLError =>
  new GraphQLError(`There is no such ${what}.`, { extensions: { code: 'NOT_FOUND' } });

/** Reads in one organization; NOT_FOUND for a caller from outside. */
export function inOrganization<T>(
  deps: Room,
  caller: Caller,
  organizationId: Uuid,
  read: (tx: Tx) => Promise<T>,
): Promise<T> {
  const scope = organizationScope(caller, organizationId, 'organization:read');
  if (!scope) throw missing('organization');
  return deps.db.transaction(scope, read);
}

export const RoleEnum = builder.enumType('Role', {
  description: 'What a person is in an organization.',
  values: {
    OWNER: { description: 'May do everything.' },
    ADMIN: { description: 'May do everything.' },
    BILLING: { description: 'May buy for the organization and see its wallet.' },
    DEVELOPER: { description: 'May create, configure and pause instances, and run them.' },
    MEMBER: { description: 'May run instances.' },
    VIEWER: { description: 'May look.' },
  } satisfies Record<Role, object>,
});

export const OrganizationRef = builder.objectRef<Organization>('Organization');
export const ProjectRef = builder.objectRef<Project>('Project');

export const MembershipType = builder.objectRef<Member>('Membership').implement({
  description: 'A person in an organization.',
  fields: (t) => ({
    organization: t.field({
      type: OrganizationRef,
      description: 'Where.',
      resolve: async ({ organizationId }, _args, { deps, caller }) =>
        (await inOrganization(deps, caller, organizationId, (tx) => organizationById(tx, organizationId)))!,
    }),
    user: t.field({
      type: UserRef,
      nullable: true,
      description: 'Who, as the shop knows them; null before their first visit there.',
      resolve: ({ saleorUserId }) => (saleorUserId ? { id: saleorUserId } : null),
    }),
    email: t.exposeString('email', { description: 'Their e-mail.' }),
    role: t.expose('role', { type: RoleEnum, description: 'As what.' }),
  }),
});

const ProjectConnection = connection('Project', ProjectRef);
const MembershipConnection = connection('Membership', MembershipType);

OrganizationRef.implement({
  description: 'A customer of the store.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Organization', id) }),
    slug: t.exposeString('slug', { description: 'Its stable name; part of paths in Git.' }),
    name: t.exposeString('name', { description: 'For people.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    projects: t.field({
      type: ProjectConnection,
      description: 'Its projects, oldest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        return inOrganization(deps, caller, id, async (tx) =>
          pageOf(await projectsOf(tx, id, page), page, (project) => project.id),
        );
      },
    }),
    members: t.field({
      type: MembershipConnection,
      description: 'Its members, oldest account first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        return inOrganization(deps, caller, id, async (tx) =>
          pageOf(await membersOf(tx, id, page), page, (member) => member.userId),
        );
      },
    }),
  }),
});
builder.asEntity(OrganizationRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, { deps, caller }) =>
    readOrganization(deps, caller, fromGlobalId('Organization', id)),
});

ProjectRef.implement({
  description: 'Where instances of an organization belong together.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Project', id) }),
    slug: t.exposeString('slug', { description: 'Its stable name within the organization.' }),
    name: t.exposeString('name', { description: 'For people.' }),
    organization: t.field({
      type: OrganizationRef,
      description: 'Whose.',
      resolve: async ({ organizationId }, _args, { deps, caller }) =>
        (await inOrganization(deps, caller, organizationId, (tx) => organizationById(tx, organizationId)))!,
    }),
  }),
});
builder.asEntity(ProjectRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, { deps, caller }) =>
    readProject(deps, caller, fromGlobalId('Project', id)),
});

/** An organization as far as the caller belongs there. */
export async function readOrganization(
  deps: Room,
  caller: Caller,
  id: Uuid | undefined,
): Promise<Organization | null> {
  const scope = id ? organizationScope(caller, id, 'organization:read') : undefined;
  return scope && id ? ((await deps.db.transaction(scope, (tx) => organizationById(tx, id))) ?? null) : null;
}
/** A project as far as the caller belongs there. */
export async function readProject(deps: Room, caller: Caller, id: Uuid | undefined): Promise<Project | null> {
  return id
    ? ((await deps.db.transaction(callerScope(caller, 'organization:read'), (tx) => projectById(tx, id))) ??
        null)
    : null;
}

builder.queryField('organization', (t) =>
  t.field({
    type: OrganizationRef,
    nullable: true,
    description: 'One organization; null when the caller does not belong there.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, caller }) =>
      readOrganization(deps, caller, fromGlobalId('Organization', id)),
  }),
);
builder.queryField('project', (t) =>
  t.field({
    type: ProjectRef,
    nullable: true,
    description: 'One project; null when the caller does not belong there.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, caller }) => readProject(deps, caller, fromGlobalId('Project', id)),
  }),
);

const CallerKindEnum = builder.enumType('CallerKind', {
  description: 'What kind of caller asks.',
  values: {
    USER: { description: 'A signed-in person.' },
    API_KEY: { description: "An organization's API key." },
    WIDGET_SESSION: { description: 'A visitor of a site with the widget.' },
    SERVICE: { description: 'A service of the store.' },
  } as const,
});
const ViewerType = builder.objectRef<Exclude<Caller, { kind: 'ANONYMOUS' }>>('Viewer').implement({
  description: 'Who is asking, and what they may do.',
  fields: (t) => ({
    caller: t.field({
      type: CallerKindEnum,
      description: 'What kind of caller.',
      resolve: ({ kind }) => kind,
    }),
    user: t.field({
      type: UserRef,
      nullable: true,
      description: 'The person as the shop knows them.',
      resolve: (caller) =>
        caller.kind === 'USER' && caller.saleorUserId ? { id: caller.saleorUserId } : null,
    }),
    displayName: t.string({
      nullable: true,
      description: 'Their name.',
      resolve: (caller) => (caller.kind === 'USER' ? (caller.displayName ?? null) : null),
    }),
    email: t.string({
      nullable: true,
      description: 'Their e-mail.',
      resolve: (caller) => (caller.kind === 'USER' ? caller.email : null),
    }),
    organization: t.field({
      type: OrganizationRef,
      nullable: true,
      description: 'Of an API key: the organization it belongs to. Null for a person, who may have several.',
      resolve: (caller, _args, { deps }) =>
        caller.kind === 'API_KEY' ? readOrganization(deps, caller, caller.organizationId as Uuid) : null,
    }),
    memberships: t.field({
      type: [MembershipType],
      description: 'Where they belong.',
      resolve: (caller) =>
        caller.kind === 'USER'
          ? caller.memberships.map((one) => ({
              ...one,
              userId: caller.userId,
              email: caller.email,
              saleorUserId: caller.saleorUserId ?? null,
            }))
          : [],
    }),
    permissions: t.stringList({
      description: 'What they may do in an organization.',
      args: { organizationId: t.arg.id({ description: 'Where.' }) },
      resolve: (caller, { organizationId }) => {
        const id = fromGlobalId('Organization', organizationId);
        return id ? permissions.filter((permission) => may(caller, id, permission)) : [];
      },
    }),
  }),
});
builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    nullable: true,
    description: 'Who is asking, and what they may do. Null for an anonymous caller.',
    resolve: (_root, _args, { caller }) => (caller.kind === 'ANONYMOUS' ? null : caller),
  }),
);

const WorkspaceAutoInput = builder.inputType('WorkspaceAutoInput', {
  description: 'Nothing has to be said; a client may name itself for the record.',
  fields: (t) => ({
    clientMutationId: t.string({
      required: false,
      description: 'Echoed nowhere; for the log of the client.',
    }),
  }),
});
interface Workspace {
  readonly organization: Organization;
  readonly project: Project;
}
const WorkspaceError = builder
  .objectRef<{ code: string; message: string; field?: string }>('WorkspaceError')
  .implement({
    description:
      'Why a workspace was not made. The list is empty today: the command refuses only callers who are not people.',
    fields: (t) => ({
      field: t.exposeString('field', { nullable: true, description: 'The input field it is about.' }),
      message: t.exposeString('message', { description: 'A sentence for people.' }),
      code: t.exposeString('code', { description: 'The stable reason.' }),
    }),
  });
const WorkspaceAutoPayload = builder.objectRef<Workspace>('WorkspaceAutoPayload').implement({
  description: "The person's own workspace.",
  fields: (t) => ({
    organization: t.expose('organization', {
      type: OrganizationRef,
      nullable: true,
      description: 'The organization.',
    }),
    project: t.expose('project', { type: ProjectRef, nullable: true, description: 'Its project.' }),
    errors: t.field({ type: [WorkspaceError], description: 'Why it was refused.', resolve: () => [] }),
  }),
});
builder.mutationField('workspaceAuto', (t) =>
  t.field({
    type: WorkspaceAutoPayload,
    description: 'Idempotent per person: an organization, a project and trial credits, once.',
    args: { input: t.arg({ type: WorkspaceAutoInput, description: 'Nothing needed.' }) },
    resolve: async (_root, _args, { deps, caller }) => {
      requireUser(caller);
      const made = await makeWorkspace(deps, { id: caller.userId, email: caller.email });
      return deps.db.transaction(systemScope('workspace'), async (tx) => ({
        organization: (await organizationById(tx, made.organizationId))!,
        project: (await projectById(tx, made.projectId))!,
      }));
    },
  }),
);
