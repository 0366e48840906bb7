import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { codesOf, type Answer } from '@agentstore/router/testing/open-router';
import { describeRecorded } from '../../../infra/dev/shop/testing/recorded.ts';
import { openGraph, type Graph } from './open-graph.ts';
import { owner, someoneElse } from './recorded-facts.ts';
import { replaySaleor, type ReplayedSaleor } from './replayed-saleor.ts';

/** Ids of the recorded shop. */
const product = 'UHJvZHVjdDoxNjU=';
const productOfCredits = 'UHJvZHVjdDoxNjY=';
const unknownProduct = 'UHJvZHVjdDo5OTk5OTk=';
const pro = 'UHJvZHVjdFZhcmlhbnQ6NDAy';
const pack = 'UHJvZHVjdFZhcmlhbnQ6NDAz';
const orderId = 'T3JkZXI6ODU4Njk4ODItNzI0ZC00ODRjLWJjMTktMzU1MTM0ZGQ0NjBi';
const buyerInShop = 'VXNlcjo0NQ==';
const channel = 'default-channel';

const longList = Array.from({ length: 130 }, (_, index) => {
  const id = Buffer.from(`ProductVariant:${1_000 + index}`).toString('base64');
  return { __typename: 'ProductVariant', id, channel, sku: `MADE-${index}` };
});

const plan = (code: string, saleorVariantId: string | null) => ({
  code,
  name: code,
  saleorVariantId,
  includedCredits: '0',
  creditsExpireDays: null,
  config: {},
  entitlements: [],
  maxRunSeconds: 60,
  maxConcurrentRuns: 1,
});
type Plan = ReturnType<typeof plan>;
const offering = (
  slug: string,
  of: { productId: string; channel?: string; plans: Plan[]; packs?: string[] },
) => ({
  publisher: { slug: 'acme', name: 'Acme' },
  offering: {
    slug,
    name: slug,
    saleorProductId: of.productId,
    saleorChannel: of.channel ?? channel,
    capabilities: [],
  },
  version: {
    version: '1.0.0',
    bucket: 'artifacts',
    objectKey: `${slug}.json`,
    sha256: Buffer.from(slug.padEnd(32, '.')).toString('hex').slice(0, 64),
    sizeBytes: 4,
    config: {},
    configSchema: {},
  },
  plans: of.plans,
  creditPacks: (of.packs ?? []).map((saleorVariantId) => ({
    saleorVariantId,
    credits: '1000000000',
    expiresAfterDays: 365,
  })),
  rateCard: { prices: [{ dimension: 'run', unitPrice: '1' }], reserve: '1' },
});

const coded = ({ errors }: Answer) =>
  (errors ?? []).map(({ path, extensions }) => `${path?.join('.')} ${extensions.code}`);

describeRecorded('the graph over the recorded schema and answers of a real Saleor', () => {
  let saleor: ReplayedSaleor;
  let graph: Graph;
  let buyer: string;
  let stranger: string;

  beforeAll(async () => {
    saleor = await replaySaleor({ more: longList });
    graph = await openGraph(saleor);
    buyer = await graph.issuer.token({ sub: 'buyer', email: 'buyer@example.com' });
    stranger = await graph.issuer.token({ sub: 'stranger', email: 'other@example.com' });
    saleor.knows(buyer, owner);
    saleor.knows(stranger, someoneElse);

    const seed = graph.controlPlaneAs('seed');
    for (const sold of [
      offering('support-agent', {
        productId: product,
        plans: [plan('trial', null), plan('pro', pro)],
        packs: [pack],
      }),
      offering('long-list', {
        productId: productOfCredits,
        plans: longList.map(({ id }, index) => plan(`p${index}`, id)),
      }),
      offering('not-listed', {
        productId: 'UHJvZHVjdDoxNjQ=',
        channel: 'channel-pln',
        plans: [plan('gone', 'UHJvZHVjdFZhcmlhbnQ6OTk5OTk5')],
      }),
      offering('not-there', { productId: unknownProduct, plans: [] }),
    ])
      await seed.call('PUT', '/internal/catalogue', sold);

    await graph.ask(made, { token: buyer });
    // The router learns who they are in the shop by `me`, beside their first request.
    await vi.waitUntil(
      async () =>
        (await graph.rows('select 1 from control_plane.users where saleor_user_id = $1', [buyerInShop]))
          .length,
      { timeout: 20_000 },
    );
    const order = saleor.facts.order(orderId) as {
      number: string;
      userEmail: string;
      lines: { id: string; productSku: string }[];
    };
    const variants: Record<string, string> = { 'AGENT-PRO-M': pro, 'CREDITS-1000': pack };
    await graph.controlPlaneAs('provisioner').call('POST', '/integrations/saleor/order-paid', {
      saleorApiUrl: saleor.url,
      order: {
        id: orderId,
        number: order.number,
        channelSlug: channel,
        userId: buyerInShop,
        userEmail: order.userEmail,
        metadata: {},
        lines: order.lines.map(({ id, productSku }) => ({
          id,
          quantity: 1,
          variantId: variants[productSku],
          sku: productSku,
          metadata: {},
        })),
      },
    });
  });
  beforeEach(() => void (saleor.asked.length = 0));
  afterEach(() => saleor.be('up'));

  const made = 'mutation { workspaceAuto(input: {}) { organization { id } errors { code } } }';
  const sold = `query ($id: ID!, $channel: String) { product(id: $id, channel: $channel) {
    id slug name channel offering { slug plans { code variant { id sku channel } } } } }`;
  const bought = `query ($id: ID!) { order(id: $id) { number status userEmail user { email } lines { productSku }
    instances { state plan { code variant { sku } } order { number } timeline { kind generation at } } topUps { amount } } }`;
  /** Representations of every `_entities` call that the shop was asked, by type. */
  const entityCalls = () =>
    saleor.asked.flatMap(({ variables }) => {
      const keys = variables['representations'] as { __typename: string; id: string }[] | undefined;
      return keys ? [{ types: new Set(keys.map(({ __typename }) => __typename)), keys }] : [];
    });

  it('Product → offering → plans → variant in one query', async () => {
    const answer = await graph.ask(sold, { variables: { id: product, channel } });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      product: {
        id: product,
        slug: 'support-agent',
        name: 'Support agent',
        channel,
        offering: {
          slug: 'support-agent',
          plans: [
            { code: 'trial', variant: null },
            { code: 'pro', variant: { id: pro, sku: 'AGENT-PRO-M', channel } },
          ],
        },
      },
    });
  });

  it('Order → instances → timeline in one query, and back to the order', async () => {
    const answer = await graph.ask(bought, { token: buyer, variables: { id: orderId } });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      order: {
        number: '21',
        status: 'UNFULFILLED',
        userEmail: 'buyer@example.com',
        user: { email: 'buyer@example.com' },
        lines: [{ productSku: 'AGENT-PRO-M' }, { productSku: 'CREDITS-1000' }],
        instances: [
          {
            state: 'REQUESTED',
            plan: { code: 'pro', variant: { sku: 'AGENT-PRO-M' } },
            order: { number: '21' },
            timeline: [{ kind: 'requested', generation: 1, at: expect.any(String) as string }],
          },
        ],
        topUps: [],
      },
    });
  });

  it('shows somebody else of the order what the shop shows, and none of its instances', async () => {
    const answer = await graph.ask(bought, { token: stranger, variables: { id: orderId } });
    expect(answer.data).toMatchObject({ order: { number: '21', user: null, instances: [], topUps: [] } });
    expect(coded(answer)).toEqual(['order.user FORBIDDEN']);
  });

  it('ProductVariant → plan, and the credits that a pack adds', async () => {
    const answer = await graph.ask(
      `query ($pro: ID!, $pack: ID!, $channel: String) {
        pro: productVariant(id: $pro, channel: $channel) { sku plan { code offering { slug product { slug } } } creditPack { credits } }
        pack: productVariant(id: $pack, channel: $channel) { sku plan { code } creditPack { credits } } }`,
      { variables: { pro, pack, channel } },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      pro: {
        sku: 'AGENT-PRO-M',
        plan: { code: 'pro', offering: { slug: 'support-agent', product: { slug: 'support-agent' } } },
        creditPack: null,
      },
      pack: { sku: 'CREDITS-1000', plan: null, creditPack: { credits: '1000000000' } },
    });
  });

  it('asks 130 variants in calls of at most 100, and one product that 130 plans point at once', async () => {
    const answer = await graph.ask(
      '{ offering(slug: "long-list") { plans { variant { sku } offering { product { slug } } } } }',
    );
    expect(answer.errors).toBeUndefined();
    const plans = answer.data!['offering'].plans as {
      variant: { sku: string };
      offering: { product: { slug: string } };
    }[];
    expect(plans.map(({ variant }) => variant.sku).toSorted()).toEqual(
      longList.map(({ sku }) => sku).toSorted(),
    );
    expect(new Set(plans.map((one) => one.offering.product.slug))).toEqual(new Set(['agent-credits']));
    const sizes = entityCalls().map(({ types, keys }) => `${[...types].join()} ${keys.length}`);
    expect(sizes.toSorted()).toEqual(['Product 1', 'ProductVariant 100', 'ProductVariant 30']);
  });

  it('keeps types apart in its calls, so that what the shop regroups is put where it belongs', async () => {
    const answer = await graph.ask(
      `{ offerings(search: "support") { edges { node { product { slug } plans { variant { sku } } } } }
         viewer { memberships { user { email } } }
         instances: order(id: "${orderId}") { instances { order { number } } } }`,
      { token: buyer },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      offerings: {
        edges: [
          {
            node: {
              product: { slug: 'support-agent' },
              plans: [{ variant: null }, { variant: { sku: 'AGENT-PRO-M' } }],
            },
          },
        ],
      },
      viewer: { memberships: [{ user: { email: 'buyer@example.com' } }] },
      instances: { instances: [{ order: { number: '21' } }] },
    });
    expect(entityCalls().filter(({ types }) => types.size !== 1)).toEqual([]);
    expect(new Set(entityCalls().flatMap(({ types }) => [...types]))).toEqual(
      new Set(['Product', 'ProductVariant', 'User', 'Order']),
    );
  });

  describe('what the shop does not show', () => {
    it.each([
      ['not-listed', 'a channel it is not sold in'],
      ['not-there', 'a product it does not know'],
    ])('%s: %s is null there, ours stay, and nobody is at fault', async (slug) => {
      const answer = await graph.ask(
        'query ($slug: String) { offering(slug: $slug) { slug product { id slug name } plans { code variant { sku } } } }',
        { variables: { slug } },
      );
      expect(answer.errors).toBeUndefined();
      // In the shop's schema a product has a slug: without one there is no product. A variant may have no sku.
      expect(answer.data).toEqual({
        offering: {
          slug,
          product: null,
          plans: slug === 'not-listed' ? [{ code: 'gone', variant: { sku: null } }] : [],
        },
      });
    });

    it('a product without its channel is null to people and to nobody', async () => {
      for (const sender of [{}, { token: buyer }]) {
        const answer = await graph.ask(sold, { ...sender, variables: { id: product, channel: null } });
        expect(answer).toMatchObject({ status: 200, data: { product: null } });
        expect(answer.errors).toBeUndefined();
      }
    });

    it('private metadata: theirs is FORBIDDEN, ours answers', async () => {
      const answer = await graph.ask(
        '{ offering(slug: "support-agent") { name product { privateMetadata { key } } } }',
        { token: buyer },
      );
      expect(answer.data).toMatchObject({ offering: { name: 'support-agent' } });
      expect(new Set(codesOf(answer))).toEqual(new Set(['FORBIDDEN']));
    });

    it('a key that the shop cannot read is refused where it is put; one from before fails the call it is in: coded, and ours answer', async () => {
      const put = (productId: string) =>
        graph
          .controlPlaneAs('seed')
          .call('PUT', '/internal/catalogue', offering('misread', { productId, plans: [] }));
      await expect(put('not-a-global-id')).rejects.toMatchObject({ status: 400 });
      await put('UHJvZHVjdDo5OTk5');
      await graph.rows(
        "update control_plane.offering set saleor_product_id = 'not-a-global-id' where slug = 'misread'",
      );
      const answer = await graph.ask(
        '{ offering(slug: "misread") { name product { slug } } offerings(search: "support") { edges { node { product { slug } } } } }',
      );
      expect(answer.data).toEqual({
        offering: { name: 'misread', product: null },
        offerings: { edges: [{ node: { product: { slug: 'support-agent' } } }] },
      });
      expect(codesOf(answer)).toEqual(['SHOP_ERROR']);
    });
  });

  it("has the shop's words for what its parser refuses: a literal null and a block string of a client", async () => {
    const answer = await graph.ask(
      `{ a: product(id: "${product}", channel: null) { slug } b: product(id: """${product}""", channel: """${channel}""") { slug } }`,
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({ a: null, b: { slug: 'support-agent' } });
  });

  describe.each(['down', 'hang', 'html'] as const)('while the shop is %s', (mode) => {
    beforeEach(() => saleor.be(mode));
    it('its fields are null with SALEOR_UNAVAILABLE, ours answer', async () => {
      const answer = await graph.ask(
        `{ viewer { memberships { organization { name } } }
           offering(slug: "support-agent") { name product { slug } plans { code variant { id sku } } } }`,
        { token: buyer },
      );
      expect(answer.data).toMatchObject({
        viewer: { memberships: [{ organization: { name: expect.any(String) as string } }] },
        offering: {
          name: 'support-agent',
          product: null,
          plans: [
            { code: 'trial', variant: null },
            { code: 'pro', variant: { id: pro, sku: null } },
          ],
        },
      });
      expect(new Set(codesOf(answer))).toEqual(new Set(['SALEOR_UNAVAILABLE']));
    });
    it('a root field of its own is null, so that nothing hangs on it', async () => {
      const answer = await graph.ask(
        `{ order(id: "${orderId}") { number instances { state } } offerings { edges { node { slug } } } }`,
        {
          token: buyer,
        },
      );
      expect(answer.data!['order']).toBeNull();
      expect(answer.data!['offerings'].edges.length).toBeGreaterThan(0);
      expect(codesOf(answer)).toEqual(['SALEOR_UNAVAILABLE']);
    });
  });

  describe('who the shop is told is asking', () => {
    const query = `{ offering(slug: "support-agent") { product { slug } plans { variant { sku } } } order(id: "${orderId}") { number user { email } } }`;
    const authorizations = () => [
      ...new Set(saleor.asked.map(({ headers }) => headers.get('authorization'))),
    ];

    it('a person: by their own token as it is, at root fields and entities; ours never see it', async () => {
      graph.shownToOurs.length = 0;
      const answer = await graph.ask(query, { token: buyer });
      expect(answer.data).toMatchObject({ order: { user: { email: 'buyer@example.com' } } });
      expect(entityCalls().length).toBeGreaterThan(0);
      expect(authorizations()).toEqual([`Bearer ${buyer}`]);
      expect(graph.shownToOurs.length).toBeGreaterThan(0);
      expect(graph.shownToOurs).not.toContain(`Bearer ${buyer}`);
    });

    it('nobody else: `authorization-bearer` is dropped, which would win there over the header that was verified', async () => {
      const headers = { 'authorization-bearer': buyer };
      for (const sender of [{ token: stranger }, {}]) {
        saleor.asked.length = 0;
        const answer = await graph.ask(query, { ...sender, headers });
        expect(answer.data).toMatchObject({ order: { number: '21', user: null } });
        expect(coded(answer)).toEqual(['order.user FORBIDDEN']);
        expect(saleor.asked.map((one) => one.headers.get('authorization-bearer'))).not.toContain(buyer);
        expect(authorizations()).toEqual(['token' in sender ? `Bearer ${stranger}` : null]);
      }
    });

    it('an API key: nobody, though its organization is known here', async () => {
      const { workspaceAuto } = (await graph.ask(made, { token: buyer })).data!;
      const { apiKeyCreate } = (
        await graph.ask(
          'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key errors { code message } } }',
          {
            token: buyer,
            variables: {
              input: {
                organizationId: workspaceAuto.organization.id,
                name: 'test',
                scopes: ['instance:read'],
              },
            },
          },
        )
      ).data!;
      expect(apiKeyCreate.errors).toEqual([]);
      saleor.asked.length = 0;
      const answer = await graph.ask(query, { token: apiKeyCreate.key });
      expect(answer.data).toMatchObject({
        offering: { product: { slug: 'support-agent' } },
        order: { user: null },
      });
      expect(authorizations()).toEqual([null]);
    });

    it("a service's token and the app's token: the router refuses them, and the shop hears nothing", async () => {
      const service = await graph.issuer.token({
        aud: 'agentstore:internal',
        sub: 'provisioner',
        client_id: 'provisioner',
        scope: 'order:grant',
        email: undefined,
      });
      for (const token of [service, 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5']) {
        const answer = await graph.ask(query, { token });
        expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
      }
      expect(saleor.asked).toEqual([]);
    });
  });

  it('with nobody listening at its address any more, ours answer', async () => {
    await saleor.stop();
    const answer = await graph.ask('{ offering(slug: "support-agent") { name product { slug } } }');
    expect(answer.data).toEqual({ offering: { name: 'support-agent', product: null } });
    expect(codesOf(answer)).toEqual(['SALEOR_UNAVAILABLE']);
  });
});
