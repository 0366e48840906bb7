import { beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { anonymous } from '@agentstore/kernel/caller';
import { apiKeyCaller } from '@agentstore/kernel/testing/callers';
import {
  catalogue,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';
import { readBranding } from './branding.ts';
import { brandingOf } from './brandings.store.ts';

const settings = { visitorSpendCap: 7_000_000n, loopbackOrigins: false };
let app: ControlPlane;
let mine: Home;
let theirs: Home;
let instance: string;
beforeAll(async () => {
  app = await startControlPlane({ branding: settings });
  await app.service.call('PUT', '/internal/catalogue', catalogue);
  mine = await app.withWorkspace();
  theirs = await app.withWorkspace();
  instance = await app.activate(mine.person, mine.project);
});

const fields =
  'brandName logoUrl avatarUrl primaryColor accentColor fontFamily launcherText position colorScheme greeting suggestedPrompts showToolSteps allowedDomains visitorSpendCap contrastRepairs { scheme what asked used ratio }';
type Payload = {
  instance: { desiredGeneration: number; branding: Record<string, unknown> } | null;
  errors: { code: string; field: string | null; message: string }[];
};
const mutation = `mutation ($input: InstanceBrandInput!) { instanceBrand(input: $input) { instance { desiredGeneration branding { ${fields} } } errors { code field message } } }`;
const brand = async (input: object, home: Home = mine): Promise<Payload> =>
  (
    await app.data<{ instanceBrand: Payload }>(home.person, mutation, {
      input: { instanceId: instance, ...input },
    })
  ).instanceBrand;
const stored = (id: string) =>
  app.database.transaction(systemScope('test'), (tx) => brandingOf(tx, uuidOf('Instance', id), settings));

describe('the branding of an instance', () => {
  it('is the store’s until something else is asked for', async () => {
    const id = await app.activate(theirs.person, theirs.project);
    const { instance: read } = await app.data<{ instance: { name: string; branding: object } }>(
      theirs.person,
      `query ($id: ID!) { instance(id: $id) { name branding { ${fields} } } }`,
      { id },
    );
    expect(read.branding).toMatchObject({
      brandName: read.name,
      logoUrl: null,
      position: 'BOTTOM_RIGHT',
      colorScheme: 'AUTO',
      allowedDomains: [],
      suggestedPrompts: [],
      visitorSpendCap: '7000000',
    });
    expect(await stored(id)).toMatchObject({ allowedDomains: [], visitorSpendCap: 7_000_000n });
  });

  it('is what is asked for, member by member, and what the widget is told', async () => {
    const asked = {
      brandName: ' Ada ',
      logoUrl: 'https://cdn.example.com/logo.svg',
      avatarUrl: 'https://cdn.example.com/a b.png',
      primaryColor: '#FFD400',
      accentColor: '#06c',
      fontFamily: 'Open Sans,  system-ui,sans-serif',
      launcherText: 'Ask us',
      position: 'TOP_LEFT',
      colorScheme: 'DARK',
      greeting: 'Hello!\nHow can I help?',
      suggestedPrompts: ['Where is my order?'],
      showToolSteps: false,
      allowedDomains: ['Example.com', '*.example.com', 'example.com.'],
      visitorSpendCap: '2500000',
    };
    const { instance: changed, errors } = await brand(asked);
    expect(errors).toEqual([]);
    const look = {
      brandName: 'Ada',
      logoUrl: 'https://cdn.example.com/logo.svg',
      avatarUrl: 'https://cdn.example.com/a%20b.png',
      primaryColor: '#ffd400',
      accentColor: '#0066cc',
      fontFamily: 'Open Sans, system-ui, sans-serif',
      launcherText: 'Ask us',
      position: 'TOP_LEFT',
      colorScheme: 'DARK',
      greeting: 'Hello!\nHow can I help?',
      suggestedPrompts: ['Where is my order?'],
      showToolSteps: false,
    };
    expect(changed).toMatchObject({
      desiredGeneration: 1,
      branding: { ...look, allowedDomains: ['example.com', '*.example.com'], visitorSpendCap: '2500000' },
    });
    const { wire, allowedDomains, visitorSpendCap } = await stored(instance);
    expect(wire).toEqual(look);
    expect(allowedDomains.map(({ text }) => text)).toEqual(['example.com', '*.example.com']);
    expect(visitorSpendCap).toBe(2_500_000n);

    const part = await brand({ launcherText: '', greeting: null, visitorSpendCap: null, logoUrl: null });
    expect(part.instance?.branding).toMatchObject({
      ...look,
      launcherText: '',
      greeting: null,
      logoUrl: null,
      visitorSpendCap: '7000000',
      allowedDomains: ['example.com', '*.example.com'],
    });
  });

  it('says which colours are moved where', async () => {
    const { instance: changed } = await brand({ primaryColor: '#ffff00', accentColor: '#000080' });
    expect(changed!.branding['contrastRepairs']).toEqual([
      {
        scheme: 'LIGHT',
        what: 'launcher',
        asked: '#ffff00',
        used: expect.stringMatching(/^#[\da-f]{6}$/),
        ratio: expect.closeTo(3, 1),
      },
      expect.objectContaining({ scheme: 'LIGHT', what: 'visitorBubble' }),
      expect.objectContaining({
        scheme: 'DARK',
        what: 'link',
        asked: '#000080',
        ratio: expect.closeTo(4.5, 1),
      }),
      expect.objectContaining({ scheme: 'DARK', what: 'focusRing' }),
    ]);
  });

  it('tells whether an origin would be accepted, and why', async () => {
    await brand({ allowedDomains: ['*.example.com'] });
    const { instance: read } = await app.data<{ instance: { branding: object } }>(
      mine.person,
      'query ($id: ID!) { instance(id: $id) { branding { yes: acceptsOrigin(origin: "https://a.example.com") { accepted reason } no: acceptsOrigin(origin: "https://example.com") { accepted reason } } } }',
      { id: instance },
    );
    expect(read.branding).toEqual({
      yes: { accepted: true, reason: '*.example.com accepts it.' },
      no: { accepted: false, reason: expect.stringContaining('not for the host itself') },
    });
  });

  it('is changed whole or not at all, with every fault named', async () => {
    const before = await stored(instance);
    const { instance: none, errors } = await brand({
      brandName: 'New',
      primaryColor: 'red',
      logoUrl: 'http://cdn.example.com/logo.svg',
      allowedDomains: ['co.uk', 'good.example', '*'],
    });
    expect(none).toBeNull();
    expect(errors.map(({ code, field }) => [code, field])).toEqual([
      ['INVALID_BRANDING', 'logoUrl'],
      ['INVALID_BRANDING', 'primaryColor'],
      ['INVALID_DOMAIN', 'allowedDomains'],
      ['INVALID_DOMAIN', 'allowedDomains'],
    ]);
    expect(await stored(instance)).toEqual(before);
  });

  it('is not changed any more once the instance ends', async () => {
    const id = await app.activate(mine.person, mine.project);
    await app.data(
      mine.person,
      'mutation ($id: ID!) { instanceTerminate(input: { instanceId: $id }) { errors { code } } }',
      { id },
    );
    expect(await brand({ instanceId: id, brandName: 'Late' })).toMatchObject({
      errors: [{ code: 'INVALID_TRANSITION' }],
    });
  });

  it("is another organization's own: there is no such instance, and a row of it is not to be seen", async () => {
    await brand({ brandName: 'Mine' });
    for (const instanceId of [instance, nowhere('Instance'), 'nonsense'])
      expect(await brand({ instanceId, brandName: 'Stolen' }, theirs)).toMatchObject({
        instance: null,
        errors: [{ code: 'INSTANCE_NOT_FOUND', field: 'instanceId' }],
      });
    expect((await stored(instance)).wire.brandName).toBe('Mine');
  });

  it('needs instance:configure', async () => {
    const input = { instanceId: instance, brandName: 'Other' };
    const reader = apiKeyCaller(mine.organizationId, 'instance:read');
    expect((await app.graph(reader, mutation, { input })).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await app.graph(anonymous, mutation, { input })).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    const keeper = apiKeyCaller(mine.organizationId, 'instance:read', 'instance:configure');
    expect(
      (await app.data<{ instanceBrand: Payload }>(keeper, mutation, { input })).instanceBrand.errors,
    ).toEqual([]);
  });
});

describe('what is written', () => {
  const long = (length: number): string => 'x'.repeat(length);
  it.each<[field: string, bad: unknown]>([
    ['brandName', ''],
    ['brandName', '  '],
    ['brandName', long(61)],
    ['brandName', 'a\nb'],
    ['brandName', 'a\u0000b'],
    ['brandName', 'a\ud800'],
    ['logoUrl', 'http://example.com/a.png'],
    ['logoUrl', 'http://localhost/a.png'],
    ['logoUrl', 'javascript:alert(1)'],
    ['logoUrl', 'data:image/png;base64,AAAA'],
    ['logoUrl', '//example.com/a.png'],
    ['logoUrl', '/a.png'],
    ['avatarUrl', 'https://user:pw@example.com/a.png'],
    ['avatarUrl', 'https://user@example.com/a.png'],
    ['avatarUrl', `https://example.com/${long(2_048)}`],
    ['avatarUrl', ''],
    ['primaryColor', 'red'],
    ['primaryColor', '#12345'],
    ['primaryColor', '#ffffff;'],
    ['accentColor', 'url(#a)'],
    ['accentColor', ''],
    ['fontFamily', ''],
    ['fontFamily', 'Inter,'],
    ['fontFamily', '"Inter"'],
    ['fontFamily', "'Inter'"],
    ['fontFamily', 'Inter; color: red'],
    ['fontFamily', 'url(https://example.com/a.woff)'],
    ['fontFamily', 'Source Sans 3'],
    ['fontFamily', 'a}b'],
    ['fontFamily', 'a\\b'],
    ['fontFamily', 'a/*b*/'],
    ['fontFamily', long(201)],
    ['launcherText', long(41)],
    ['position', 'MIDDLE'],
    ['colorScheme', 'light'],
    ['greeting', ''],
    ['greeting', long(1_001)],
    ['greeting', 'a\u0007'],
    ['suggestedPrompts', Array.from({ length: 7 }, () => 'a')],
    ['suggestedPrompts', ['']],
    ['suggestedPrompts', [long(201)]],
    ['visitorSpendCap', 0n],
    ['visitorSpendCap', -1n],
  ])('is refused of %s: %j', (field, bad) => {
    expect(readBranding({ [field]: bad }, settings)).toEqual({
      faults: [{ code: 'INVALID_BRANDING', field, message: expect.any(String) }],
    });
  });

  it('is kept up to the longest', () => {
    const longest = {
      brandName: '🙂'.repeat(60),
      launcherText: long(40),
      greeting: long(1_000),
      suggestedPrompts: Array.from({ length: 6 }, () => long(200)),
    };
    expect(readBranding(longest, settings)).toEqual({ change: longest });
  });

  it('may be on the own machine in development', () => {
    const own = {
      logoUrl: 'http://localhost:4011/logo.png',
      avatarUrl: 'http://127.0.0.1:4011/a.png',
      allowedDomains: ['localhost:*'],
    };
    expect(readBranding(own, { ...settings, loopbackOrigins: true })).toEqual({
      change: { ...own, allowedDomains: ['http://localhost:*'] },
    });
    expect(
      readBranding({ logoUrl: 'http://localhost.example.com/a.png' }, { ...settings, loopbackOrigins: true }),
    ).toHaveProperty('faults');
  });
});

it('on the own machine means nothing to a store that does not trust it any more', async () => {
  const id = await app.activate(mine.person, mine.project);
  await app.rows(
    `insert into branding (instance_id, organization_id, asked, changed_by) values ($1, $2, '{"allowedDomains": ["http://localhost:*", "example.com"]}', 'test')`,
    [uuidOf('Instance', id), mine.organizationId],
  );
  expect((await stored(id)).allowedDomains.map(({ text }) => text)).toEqual(['example.com']);
});
