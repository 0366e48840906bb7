import { callerScope } from '@agentstore/kernel/access';
import { paletteOf, type Repair, type Scheme } from '@agentstore/kernel/colour/palette';
import { builder } from '../builder.ts';
import { InstanceType } from '../instances/instance.graphql.ts';
import { acceptsOrigin, whyOrigin } from './allowed-domain.ts';
import type { InstanceBranding } from './branding.ts';
import { brandingOf } from './brandings.store.ts';

export const LauncherPositionEnum = builder.enumType('LauncherPosition', {
  description: 'Corner of the page in which the launcher sits.',
  values: {
    BOTTOM_RIGHT: { description: 'At the bottom, on the right.' },
    BOTTOM_LEFT: { description: 'At the bottom, on the left.' },
    TOP_RIGHT: { description: 'At the top, on the right.' },
    TOP_LEFT: { description: 'At the top, on the left.' },
  } as const,
});
export const ColorSchemeEnum = builder.enumType('ColorScheme', {
  description: 'Whether a widget is light or dark.',
  values: {
    AUTO: { description: "As the visitor's system is." },
    LIGHT: { description: 'Light.' },
    DARK: { description: 'Dark.' },
  } as const,
});

const ContrastRepairType = builder
  .objectRef<Repair & { readonly scheme: Scheme }>('ContrastRepair')
  .implement({
    description:
      'A colour that was moved to stay readable (WCAG 2.2 AA): its lightness, as little as it takes.',
    fields: (t) => ({
      scheme: t.field({
        type: ColorSchemeEnum,
        description: 'LIGHT or DARK: where it is so.',
        resolve: ({ scheme }) => (scheme === 'light' ? 'LIGHT' : 'DARK'),
      }),
      what: t.exposeString('what', {
        description: 'What is drawn in it: launcher, visitorBubble, link or focusRing.',
      }),
      asked: t.exposeString('asked', { description: 'The colour of the brand, #rrggbb.' }),
      used: t.exposeString('used', { description: 'The colour that is drawn, #rrggbb.' }),
      ratio: t.exposeFloat('ratio', {
        description: 'Contrast of what is drawn with what is behind it: at least 4.5 of text, 3 of the rest.',
      }),
    }),
  });

const OriginCheckType = builder
  .objectRef<{ readonly accepted: boolean; readonly reason: string }>('OriginCheck')
  .implement({
    description: 'Whether a widget may stand on the pages of an origin.',
    fields: (t) => ({
      accepted: t.exposeBoolean('accepted', { description: 'Whether it may.' }),
      reason: t.exposeString('reason', { description: 'A sentence for people: which entry, or why none.' }),
    }),
  });

const BrandingType = builder.objectRef<InstanceBranding>('Branding').implement({
  description:
    "How an instance looks on its owner's sites, and on which ones. It is data, not desired state: it is not in Git, and an edit is seen at the next session of a widget.",
  fields: (t) => ({
    brandName: t.string({
      description: "Name of the agent for visitors; the instance's unless said.",
      resolve: ({ wire }) => wire.brandName,
    }),
    logoUrl: t.string({
      nullable: true,
      description: "Picture in the panel's head.",
      resolve: ({ wire }) => wire.logoUrl,
    }),
    avatarUrl: t.string({
      nullable: true,
      description: "Picture beside the agent's messages.",
      resolve: ({ wire }) => wire.avatarUrl,
    }),
    primaryColor: t.string({
      description: 'Of launcher and visitor, #rrggbb, as it was asked for.',
      resolve: ({ wire }) => wire.primaryColor,
    }),
    accentColor: t.string({
      description: 'Of links and focus, #rrggbb, as it was asked for.',
      resolve: ({ wire }) => wire.accentColor,
    }),
    fontFamily: t.string({
      description: 'Names of fonts with commas between them.',
      resolve: ({ wire }) => wire.fontFamily,
    }),
    launcherText: t.string({
      description: 'Words on the launcher; empty for the icon alone.',
      resolve: ({ wire }) => wire.launcherText,
    }),
    position: t.field({
      type: LauncherPositionEnum,
      description: 'Where the launcher sits.',
      resolve: ({ wire }) => wire.position,
    }),
    colorScheme: t.field({
      type: ColorSchemeEnum,
      description: 'Light or dark.',
      resolve: ({ wire }) => wire.colorScheme,
    }),
    greeting: t.string({
      nullable: true,
      description: "First words in a new conversation; null for the widget's own in the visitor's language.",
      resolve: ({ wire }) => wire.greeting,
    }),
    suggestedPrompts: t.stringList({
      description: 'What a visitor can ask with one press.',
      resolve: ({ wire }) => [...wire.suggestedPrompts],
    }),
    showToolSteps: t.boolean({
      description:
        'Whether visitors see which tools were called, and the beginning of what went in and came out; if not, nothing of it is sent to them.',
      resolve: ({ wire }) => wire.showToolSteps,
    }),
    allowedDomains: t.stringList({
      description: 'On whose pages the widget may stand; none: nowhere.',
      resolve: ({ allowedDomains }) => allowedDomains.map(({ text }) => text),
    }),
    visitorSpendCap: t.field({
      type: 'MicroCredits',
      description: 'Most that the runs of one visitor may cost in 24 hours.',
      resolve: ({ visitorSpendCap }) => visitorSpendCap,
    }),
    contrastRepairs: t.field({
      type: [ContrastRepairType],
      description: 'Where a colour had to be moved to stay readable, what was asked and what is used.',
      resolve: ({ wire }) =>
        (['light', 'dark'] as const).flatMap((scheme) =>
          paletteOf(wire, scheme).repairs.map((repair) => ({ ...repair, scheme })),
        ),
    }),
    acceptsOrigin: t.field({
      type: OriginCheckType,
      description: 'Tries the allowed domains with an origin.',
      args: { origin: t.arg.string({ description: 'As a browser sends it, e.g. https://www.example.com.' }) },
      resolve: ({ allowedDomains }, { origin }) => ({
        accepted: acceptsOrigin(allowedDomains, origin) !== undefined,
        reason: whyOrigin(allowedDomains, origin),
      }),
    }),
  }),
});

builder.objectField(InstanceType, 'branding', (t) =>
  t.field({
    type: BrandingType,
    description: "How it looks on its owner's sites, and on which ones.",
    resolve: ({ id }, _args, { deps, caller }) =>
      deps.db.transaction(callerScope(caller, 'instance:read'), (tx) => brandingOf(tx, id, deps.branding)),
  }),
);
