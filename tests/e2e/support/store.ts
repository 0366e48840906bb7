import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { openRepository } from '@agentstore/gitops/writer/repository';
import { signIn } from '../../../infra/dev/identity/sign-in.ts';
import { graphClient, type GraphClient } from '../../../infra/dev/main-job/graph-client.ts';
import { createProgress } from '../../../infra/dev/progress.ts';
import { payFor, refundPayment, type Payment } from '../../../infra/dev/shop/pay-for.ts';
import type { Ports } from '../../../infra/dev/state/ports.ts';
import { startStack, type Stack } from '../../../infra/dev/stack/stack.ts';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import { freePorts } from '../../setup/free-ports.ts';
import type { Data, RunEvent, RunStart, Wallet } from '../../setup/graph-data.ts';

/** The whole store on free ports with a database of its own, and people who use it through the router. */
export interface Store {
  readonly stack: Stack;
  readonly stateDir: string;
  readonly adminUrl: string;
  readonly graphqlUrl: string;
  readonly seed: {
    readonly pack1000VariantId: string;
    readonly proVariantId: string;
    readonly artifactSha256: string;
  };
  /** A new person with a verified e-mail, signed in. */
  signUp(options?: { emailVerified?: boolean }): Promise<Person>;
  /** Whoever holds this token; nobody without one. */
  as(token?: string): GraphClient;
  readonly git: { log(): Promise<string[]> };
  /** Asks PostgreSQL as the superuser, for what no client is shown. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  refund(payment: Payment): Promise<void>;
  /** Runs before the store is closed: what a test started again. */
  later(stop: () => Promise<void>): void;
  /** Stops everything; throws when the ledger is broken by then. */
  close(): Promise<void>;
}

/** A signed-in person. */
export interface Person {
  readonly email: string;
  readonly token: string;
  query(document: string, variables?: Record<string, unknown>): Promise<Data>;
  subscribe(document: string, variables?: Record<string, unknown>): AsyncGenerator<Data>;
  /** All events of a subscription to `runEvents`, until it completes. */
  runEvents(document: string, variables: Record<string, unknown>): Promise<RunEvent[]>;
  /** Asks until the answer is what one waits for (20 s at most). */
  waitFor<T>(
    document: string,
    variables: Record<string, unknown>,
    wanted: (data: Data) => T | undefined,
  ): Promise<T>;
  /** Checks variants out, pays, and completes: a paid order of the shop. */
  buy(
    variantIds: readonly string[],
    options?: { organizationId?: string },
  ): Promise<{ id: string; number: string; payment: Payment }>;
  wallet(organizationId: string): Promise<Wallet>;
  /** A workspace and an ACTIVE instance of the Pro plan, bought. */
  withActiveInstance(): Promise<{
    organizationId: string;
    projectId: string;
    instanceId: string;
    orderId: string;
  }>;
  run(instanceId: string, input: string, more?: Record<string, unknown>): Promise<RunStart>;
}

/** `ownPostgres`: a server of its own, which a test may stop, instead of a database of the suite's. */
export async function openStore(
  options: {
    delayPerTokenMs?: number;
    ownPostgres?: boolean;
    runtime?: 'dev' | 'lfx';
    ports?: Ports;
    graphiql?: boolean;
    widget?: boolean;
    shopRetryScheduleSeconds?: readonly number[];
    recheckMs?: number;
  } = {},
): Promise<Store> {
  const database = options.ownPostgres ? undefined : await testDatabase();
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-e2e-'));
  fs.chmodSync(stateDir, 0o711); // as root PostgreSQL runs under another account, which has to pass through
  const stack = await startStack({
    stateDir,
    ports: options.ports ?? (await freePorts()),
    runtime: options.runtime ?? 'dev',
    ...(database ? { postgres: { adminUrl: database.adminUrl, appUrl: database.url } } : {}),
    delayPerTokenMs: options.delayPerTokenMs ?? 1,
    ...(options.shopRetryScheduleSeconds
      ? { shopRetryScheduleSeconds: options.shopRetryScheduleSeconds }
      : {}),
    ...(options.recheckMs ? { recheckMs: options.recheckMs } : {}),
    graphiql: options.graphiql ?? false,
    widget: options.widget ?? false,
    log: silentLog,
    progress: createProgress({ write: () => undefined }),
  });
  const graphqlUrl = `${stack.publicOrigin}/graphql`;
  const clients: GraphClient[] = [];
  const as = (token?: string): GraphClient => {
    const client = graphClient({ url: graphqlUrl, ...(token ? { token } : {}) });
    clients.push(client);
    return client;
  };
  let people = 0;
  const stops: (() => Promise<void>)[] = [];
  const store: Store = {
    stack,
    stateDir,
    adminUrl: stack.doubles.adminUrl,
    graphqlUrl,
    seed: {
      pack1000VariantId: stack.shop.variants.pack1000.id,
      proVariantId: stack.shop.variants.pro.id,
      artifactSha256: stack.catalogue.artifactSha256,
    },
    as,
    async signUp({ emailVerified = true } = {}) {
      const email = `person${++people}-${process.pid}@example.test`;
      const password = 'a password of a test';
      await stack.doubles.identity.addUser({
        email,
        password,
        givenName: 'Test',
        familyName: `Person ${people}`,
        emailVerified,
      });
      const { issuer, clientId, audience } = stack.doubles.identity;
      const { accessToken } = await signIn({ issuer, clientId, audience, email, password });
      return person(store, { email, token: accessToken, graph: as(accessToken) });
    },
    git: {
      log: async () => {
        const repository = await openRepository({
          directory: path.join(stateDir, 'git/agentstore.git'),
          branch: 'main',
        });
        return (await repository.log(1_000)).map(({ commit }) => commit);
      },
    },
    async sql(text, values = []) {
      const client = new pg.Client({ connectionString: stack.doubles.adminUrl });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    refund: (payment) =>
      refundPayment(stack.doubles.shop, {
        transactionId: payment.transactionId,
        amount: payment.amount,
        pspReference: crypto.randomUUID(),
      }).then(() => undefined),
    later: (stop) => void stops.push(stop),
    async close() {
      try {
        await assertInvariants(stack.doubles.adminUrl);
      } finally {
        await Promise.all(clients.map((client) => client.close()));
        await stack.stop();
        for (const stop of stops) await stop();
        fs.rmSync(stateDir, { recursive: true, force: true });
      }
    },
  };
  return store;
}

const checkoutCreate = `mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } errors { code message } } }`;
const address = {
  firstName: 'Test',
  lastName: 'Person',
  streetAddress1: '1 Main Street',
  city: 'Springfield',
  postalCode: '62701',
  country: 'US',
  countryArea: 'IL',
};

function person(
  store: Store,
  { email, token, graph }: { email: string; token: string; graph: GraphClient },
): Person {
  const self: Person = {
    email,
    token,
    query: (document, variables) => graph.query<Data>(document, variables),
    subscribe: (document, variables) => graph.subscribe<Data>(document, variables),
    async runEvents(document, variables) {
      const events: RunEvent[] = [];
      for await (const data of graph.subscribe<Data>(document, variables)) events.push(data.runEvents);
      return events;
    },
    async waitFor(document, variables, wanted) {
      for (const until = Date.now() + 60_000; Date.now() < until; await sleep(20)) {
        const found = wanted(await graph.query<Data>(document, variables));
        if (found !== undefined) return found;
      }
      throw new Error(`what was waited for did not come: ${document}`);
    },
    async buy(variantIds, options = {}) {
      const lines = variantIds.map((variantId) => ({ variantId, quantity: 1 }));
      const { checkoutCreate: made } = await self.query(checkoutCreate, {
        input: { channel: store.stack.shop.channel, email, lines, billingAddress: address },
      });
      if (options.organizationId)
        await self.query(
          'mutation ($id: ID!, $input: [MetadataInput!]!) { updateMetadata(id: $id, input: $input) { errors { code } } }',
          {
            id: made.checkout.id,
            input: [{ key: 'agentstore.organizationId', value: options.organizationId }],
          },
        );
      const payment = await payFor(store.stack.doubles.shop, {
        id: made.checkout.id,
        pspReference: crypto.randomUUID(),
      });
      const { checkoutComplete } = await self.query(
        'mutation ($id: ID!) { checkoutComplete(id: $id) { order { id number } errors { code message } } }',
        { id: made.checkout.id },
      );
      return { ...checkoutComplete.order, payment };
    },
    async wallet(organizationId) {
      const { wallet } = await self.query(
        `query ($id: ID!) { wallet(organizationId: $id) { balance reserved available debt state
          ledgerEntries(first: 20) { edges { node { seq kind amount balanceAfter run { id charge } transfers { debitAccount creditAccount amount code } usage { dimension quantity amount } } } } } }`,
        { id: organizationId },
      );
      return wallet;
    },
    async withActiveInstance() {
      const { workspaceAuto } = await self.query(
        'mutation { workspaceAuto(input: {}) { organization { id } project { id } errors { code } } }',
      );
      const order = await self.buy([store.seed.proVariantId], {
        organizationId: workspaceAuto.organization.id,
      });
      const instanceId = await self.waitFor(
        'query ($id: ID!) { order(id: $id) { instances { id state } } }',
        { id: order.id },
        ({ order: seen }) =>
          seen?.instances[0]?.state === 'ACTIVE' ? String(seen.instances[0].id) : undefined,
      );
      return {
        organizationId: workspaceAuto.organization.id,
        projectId: workspaceAuto.project.id,
        instanceId,
        orderId: order.id,
      };
    },
    async run(instanceId, input, more = {}) {
      const { runStart } = await self.query(
        'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id state } required available missing errors { code message field } } }',
        { input: { instanceId, input, idempotencyKey: crypto.randomUUID(), ...more } },
      );
      return runStart;
    },
  };
  return self;
}
