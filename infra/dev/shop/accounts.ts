import { addressesOf } from './addresses.ts';
import { has, mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { permissionDenied, refuse, ShopError } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput, idField, metadataFields } from './metadata.ts';
import { pageOfOrders } from './orders.store.ts';
import { pageOf, type PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import { permissionName, type Permission } from './permissions.ts';
import type { UserRecord } from './records.ts';
import type { WritableStore } from './store.ts';
import {
  hashPassword,
  passwordMatches,
  permissionsOf,
  randomText,
  signUserToken,
  verifyUserToken,
} from './tokens.ts';

const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Stores a customer; confirmed guest orders with exactly that e-mail become the customer's. */
export async function newCustomer(
  tx: WritableStore,
  about: { email: string; now: Date } & Partial<UserRecord>,
): Promise<UserRecord> {
  const now = about.now.toISOString();
  const { now: _now, ...given } = about;
  const user: UserRecord = {
    pk: await tx.nextPk('User'),
    firstName: '',
    lastName: '',
    isStaff: false,
    isActive: true,
    isConfirmed: true,
    isSuperuser: false,
    permissions: [],
    password: null,
    jwtKey: randomText(12),
    addresses: [],
    externalReference: null,
    dateJoined: now,
    lastLogin: null,
    metadata: {},
    privateMetadata: {},
    updatedAt: now,
    ...given,
  };
  await tx.put('User', user);
  for (const order of await tx.find('Order', 'userEmail', user.email))
    if (!order.user && order.status !== 'UNCONFIRMED') await tx.put('Order', { ...order, user: user.pk });
  return user;
}

interface CustomerInput {
  email?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  isActive?: boolean | null;
  isConfirmed?: boolean | null;
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}

async function checkEmail(tx: WritableStore, address: string, own?: string): Promise<void> {
  if (!email.test(address)) throw refuse('email', 'INVALID', 'Enter a valid email address.');
  if ((await tx.find('User', 'email', address)).some((other) => other.pk !== own))
    throw refuse('email', 'UNIQUE', 'User with this Email already exists.');
}

const customerFields = (input: CustomerInput, old?: UserRecord): Partial<UserRecord> => ({
  firstName: input.firstName ?? old?.firstName ?? '',
  lastName: input.lastName ?? old?.lastName ?? '',
  isActive: input.isActive ?? old?.isActive ?? true,
  isConfirmed: input.isConfirmed ?? old?.isConfirmed ?? false,
  metadata: { ...old?.metadata, ...fromInput(input.metadata, 'metadata') },
  privateMetadata: { ...old?.privateMetadata, ...fromInput(input.privateMetadata, 'privateMetadata') },
});

/** Shop-wide settings, with Saleor's defaults until changed. */
export const settingsOf = async (store: { get: WritableStore['get'] }) =>
  (await store.get('Settings', '1')) ?? {
    pk: '1',
    metadata: {},
    privateMetadata: {},
    updatedAt: new Date(0).toISOString(),
    enableAccountConfirmationByEmail: true,
  };

export const accountQueries = {
  me: async (_: unknown, _args: unknown, ctx: ShopContext) => {
    const requestor = await ctx.requestor();
    return requestor.kind === 'user' ? ((await ctx.store.get('User', requestor.user.pk)) ?? null) : null;
  },
  user: async (_: unknown, args: { id?: string | null; email?: string | null }, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_STAFF', 'MANAGE_USERS', 'MANAGE_ORDERS']);
    return args.id
      ? ctx.store.get('User', pkOf('User', args.id))
      : args.email
        ? (await ctx.store.find('User', 'email', args.email))[0]
        : null;
  },
  customers: async (
    _: unknown,
    args: PageArgs & {
      search?: string | null;
      where?: {
        ids?: string[] | null;
        email?: { eq?: string | null; oneOf?: string[] | null } | null;
      } | null;
    },
    ctx: ShopContext,
  ) => {
    await requirePermission(ctx, ['MANAGE_ORDERS', 'MANAGE_USERS']);
    const wanted = args.where?.ids?.map((id) => pkOf('User', id));
    const filter = args.where?.email;
    const found = (await ctx.store.all('User')).filter(
      (user) =>
        !user.isStaff &&
        (!wanted || wanted.includes(user.pk)) &&
        (!args.search || user.email.toLowerCase().includes(args.search.toLowerCase())) &&
        (!filter ||
          ((filter.eq == null || filter.eq === user.email) &&
            (!filter.oneOf || filter.oneOf.includes(user.email)))),
    );
    return pageOf('customers', found, { ...args, keyOf: (user) => user.pk });
  },
  staffUsers: async (
    _: unknown,
    args: PageArgs & { filter?: { search?: string | null } | null },
    ctx: ShopContext,
  ) => {
    await requirePermission(ctx, ['MANAGE_STAFF']);
    const search = args.filter?.search?.toLowerCase() ?? '';
    const found = (await ctx.store.all('User')).filter(
      (user) => user.isStaff && user.email.toLowerCase().includes(search),
    );
    return pageOf('staffUsers', found, { ...args, keyOf: (user) => user.pk });
  },
};

export const accountMutations = {
  tokenCreate: (
    _: unknown,
    args: { email: string; password: string; audience?: string | null },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      const [user] = await ctx.store.find('User', 'email', args.email);
      if (!user?.isActive || !passwordMatches(args.password, user.password))
        throw refuse('email', 'INVALID_CREDENTIALS', 'Please, enter valid credentials');
      const settings = await settingsOf(ctx.store);
      if (settings.enableAccountConfirmationByEmail && !user.isConfirmed)
        throw refuse('email', 'ACCOUNT_NOT_CONFIRMED', 'Account needs to be confirmed via email.');
      const audience = args.audience ? { audience: args.audience } : {};
      const csrfToken = randomText(64);
      await mutate(ctx, (tx) => tx.put('User', { ...user, lastLogin: timestamp(ctx.shop) }));
      return {
        token: await signUserToken(ctx.shop, user, { type: 'access', ...audience }),
        refreshToken: await signUserToken(ctx.shop, user, { type: 'refresh', csrfToken, ...audience }),
        csrfToken,
        user,
      };
    }),
  tokenRefresh: (_: unknown, args: { refreshToken?: string | null }, ctx: ShopContext) =>
    payload(async () => {
      if (!args.refreshToken) throw refuse('refreshToken', 'JWT_MISSING_TOKEN', 'Missing refreshToken');
      const { user } = await ownToken(ctx, args.refreshToken, 'refresh', 'refreshToken');
      return { token: await signUserToken(ctx.shop, user, { type: 'access' }), user };
    }),
  tokenVerify: (_: unknown, args: { token: string }, ctx: ShopContext) =>
    payload(
      async () => {
        const { user, claims } = await ownToken(ctx, args.token, 'access', 'token');
        return { user, isValid: true, payload: claims };
      },
      { isValid: false },
    ),
  accountRegister: (
    _: unknown,
    {
      input,
    }: {
      input: {
        email: string;
        password: string;
        firstName?: string | null;
        lastName?: string | null;
        redirectUrl?: string | null;
        metadata?: { key: string; value: string }[] | null;
      };
    },
    ctx: ShopContext,
  ) =>
    payload(() =>
      mutate(ctx, async (tx) => {
        const requiresConfirmation = (await settingsOf(tx)).enableAccountConfirmationByEmail;
        if (requiresConfirmation && !input.redirectUrl)
          throw refuse('redirectUrl', 'REQUIRED', 'This field is required.');
        if (!email.test(input.email)) throw refuse('email', 'INVALID', 'Enter a valid email address.');
        if (input.password.length < 8)
          throw refuse(
            'password',
            'PASSWORD_TOO_SHORT',
            'This password is too short. It must contain at least 8 characters.',
          );
        const [known] = await tx.find('User', 'email', input.email);
        // With confirmation on, whether an address has an account is not said.
        if (known && !requiresConfirmation)
          throw refuse('email', 'UNIQUE', 'User with this Email already exists.');
        const password = hashPassword(input.password);
        const fields = { ...customerFields(input), isConfirmed: !requiresConfirmation, password };
        const user = known ?? (await newCustomer(tx, { email: input.email, now: ctx.shop.now(), ...fields }));
        return {
          user: { ...user, pk: '-1', firstName: input.firstName ?? '', lastName: input.lastName ?? '' },
          requiresConfirmation,
        };
      }),
    ),
  customerCreate: (_: unknown, { input }: { input: CustomerInput }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_USERS']);
      return mutate(ctx, async (tx) => {
        await checkEmail(tx, input.email ?? '');
        return {
          user: await newCustomer(tx, { email: input.email!, now: ctx.shop.now(), ...customerFields(input) }),
        };
      });
    }),
  customerUpdate: (_: unknown, { id, input }: { id: string; input: CustomerInput }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_USERS']);
      return mutate(ctx, async (tx) => {
        const old = await tx.lock('User', pkOf('User', id));
        if (!old || old.isStaff) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
        if (input.email) await checkEmail(tx, input.email, old.pk);
        const user: UserRecord = {
          ...old,
          ...customerFields(input, old),
          email: input.email ?? old.email,
          updatedAt: timestamp(ctx.shop),
        };
        await tx.put('User', user);
        return { user };
      });
    }),
};

const tokenCodes: Readonly<Record<string, string>> = {
  ExpiredSignatureError: 'JWT_SIGNATURE_EXPIRED',
  InvalidSignatureError: 'JWT_DECODE_ERROR',
};

async function ownToken(ctx: ShopContext, token: string, type: 'access' | 'refresh', field: string) {
  try {
    return await verifyUserToken(ctx.shop, ctx.store, token, type);
  } catch (error) {
    if (error instanceof ShopError)
      throw refuse(field, tokenCodes[error.code] ?? 'JWT_INVALID_TOKEN', error.message);
    throw error;
  }
}

const permissionItem = (code: Permission) => ({ code, name: permissionName(code) });

/** What a user may see of a user: oneself, or anybody with MANAGE_STAFF or MANAGE_USERS. */
const seesAll = async (user: UserRecord, ctx: ShopContext): Promise<boolean> => {
  const requestor = await ctx.requestor();
  return (
    (requestor.kind === 'user' && requestor.user.pk === user.pk) ||
    has(requestor, 'MANAGE_USERS', 'MANAGE_STAFF')
  );
};

export const accountTypes = {
  User: {
    ...idField('User'),
    ...metadataFields('User'),
    addresses: async (user: UserRecord, _: unknown, ctx: ShopContext) =>
      (await seesAll(user, ctx)) ? addressesOf(ctx.store, user.addresses) : [],
    defaultBillingAddress: () => null,
    orders: async (user: UserRecord, args: PageArgs, ctx: ShopContext) => {
      const requestor = await ctx.requestor();
      const own = requestor.kind === 'user' && requestor.user.pk === user.pk;
      if (!own && !has(requestor, 'MANAGE_ORDERS')) throw permissionDenied('MANAGE_ORDERS', 'OWNER');
      return pageOfOrders(ctx.store, { ...args, user: user.pk });
    },
    /** For the requestor what this request may do, which a scope-bound token makes less than the row says. */
    userPermissions: async (user: UserRecord, _: unknown, ctx: ShopContext) => {
      const requestor = await ctx.requestor();
      const own = requestor.kind === 'user' && requestor.user.pk === user.pk;
      return [...(own ? requestor.permissions : permissionsOf(user))].sort().map(permissionItem);
    },
    permissionGroups: () => [],
  },
  Group: idField('Group'),
};

export { permissionItem };
