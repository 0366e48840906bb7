import { z } from 'zod';
import { colorSchemes, launcherPositions, type Branding } from '@agentstore/kernel/branding';
import { parseHex, toHex } from '@agentstore/kernel/colour/oklch';
import type { MicroCredits } from '@agentstore/kernel/credits';
import type { Refusal } from '@agentstore/kernel/outcome';
import { parseAllowedDomains, type AllowedDomain } from './allowed-domain.ts';

/** What the store says of the widgets of all instances. */
export interface BrandingSettings {
  /** Most that the runs of one visitor may cost in 24 hours, where the instance says nothing else. */
  readonly visitorSpendCap: MicroCredits;
  /** Whether widgets may stand on pages of the own machine and show pictures from there: for development. */
  readonly loopbackOrigins: boolean;
}

/** How an instance looks on its owner's site, on which sites it may be, and what a visitor there may cost. */
export interface InstanceBranding {
  readonly wire: Branding;
  /** None: on no site. */
  readonly allowedDomains: readonly AllowedDomain[];
  /** Of one visitor in 24 hours. */
  readonly visitorSpendCap: MicroCredits;
}

/** What an instance's people asked for; what is left out is the store's. */
export type AskedBranding = Partial<Branding> & {
  /** Texts of `AllowedDomain`. */
  readonly allowedDomains?: readonly string[];
  /** A decimal string: it is kept as JSON. */
  readonly visitorSpendCap?: string;
};

const defaults: Omit<Branding, 'brandName'> = {
  logoUrl: null,
  avatarUrl: null,
  primaryColor: '#27303f',
  accentColor: '#2563eb',
  fontFamily: 'system-ui, sans-serif',
  launcherText: '',
  position: 'BOTTOM_RIGHT',
  colorScheme: 'AUTO',
  greeting: null,
  suggestedPrompts: [],
  showToolSteps: true,
};
const longestBrandName = 60;

/** What was asked for over the defaults; the brand is named as the instance unless said. */
export function brandingFrom(
  instanceName: string,
  { allowedDomains = [], visitorSpendCap, ...look }: AskedBranding,
  settings: BrandingSettings,
): InstanceBranding {
  const brandName = [...instanceName].slice(0, longestBrandName).join('');
  return {
    wire: { brandName, ...defaults, ...look },
    // Read anew each time: what counts as a public suffix grows, and a store may stop trusting its own machine.
    allowedDomains: parseAllowedDomains(allowedDomains, settings).domains,
    visitorSpendCap: visitorSpendCap === undefined ? settings.visitorSpendCap : BigInt(visitorSpendCap),
  };
}

/** Characters as people count them, without control characters and halves of one, which PostgreSQL's JSON cannot hold; `\n` in a `paragraph` alone. */
const words = (least: number, most: number, kind: 'line' | 'paragraph' = 'line') =>
  z
    .string()
    .trim()
    .refine(
      (text) => [...text].length >= least && [...text].length <= most,
      `There must be ${least} to ${most} characters.`,
    )
    .refine(
      (text) => !/[\p{Cc}\p{Cs}]/u.test(kind === 'line' ? text : text.replaceAll('\n', '')),
      'There is a character that cannot be shown.',
    );

const colour = z
  .string()
  .regex(/^#([\da-f]{3}|[\da-f]{6})$/i, 'A colour is #rgb or #rrggbb.')
  .transform((text) => toHex(parseHex(text)));

/** Names are CSS identifiers, so that the list needs no quotes and ends no declaration. */
const fontFamily = z
  .string()
  .max(200, 'There may be 200 characters.')
  .transform((text) => text.split(',').map((name) => name.trim().replace(/ +/g, ' ')))
  .refine(
    (names) => names.every((name) => /^-?[a-z_][\w-]*( -?[a-z_][\w-]*)*$/i.test(name)),
    'A font family is names with commas between them, each of words that begin with a letter; without quotes.',
  )
  .transform((names) => names.join(', '));

const pictureUrl = ({ loopbackOrigins }: BrandingSettings) =>
  z
    .string()
    .max(2_048, 'There may be 2048 characters.')
    .transform((text) => URL.parse(text))
    .refine(
      (url) =>
        url !== null &&
        !url.username &&
        !url.password &&
        (url.protocol === 'https:' ||
          (loopbackOrigins &&
            url.protocol === 'http:' &&
            /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname))),
      'A picture has an https URL without a user.',
    )
    .transform((url) => url!.href);

/** What may be asked for, as it is kept: null takes a member back to the store's default, one that is missing stays as it is. */
const changeSchema = (settings: BrandingSettings) =>
  z.object({
    brandName: words(1, longestBrandName).nullish(),
    logoUrl: pictureUrl(settings).nullish(),
    avatarUrl: pictureUrl(settings).nullish(),
    primaryColor: colour.nullish(),
    accentColor: colour.nullish(),
    fontFamily: fontFamily.nullish(),
    launcherText: words(0, 40).nullish(),
    position: z.enum(launcherPositions).nullish(),
    colorScheme: z.enum(colorSchemes).nullish(),
    greeting: words(1, 1_000, 'paragraph').nullish(),
    suggestedPrompts: z.array(words(1, 200)).max(6, 'There may be 6 prompts.').nullish(),
    showToolSteps: z.boolean().nullish(),
    allowedDomains: z
      .array(z.string())
      .transform((entries, context) => {
        const { domains, faults } = parseAllowedDomains(entries, settings);
        for (const message of faults) context.addIssue({ code: 'custom', message });
        return domains.map(({ text }) => text);
      })
      .nullish(),
    visitorSpendCap: z
      .bigint()
      .min(1n, 'The cap must be at least a micro-credit.')
      .transform((cap) => cap.toString())
      .nullish(),
  } satisfies Record<keyof AskedBranding, z.ZodType>);

type ChangeSchema = ReturnType<typeof changeSchema>;
export type BrandingChange = z.output<ChangeSchema>;
export type BrandingRefusal = Refusal & { readonly code: 'INVALID_BRANDING' | 'INVALID_DOMAIN' };

/** Reads what a person wrote. All faults at once, so that a form can show them. */
export function readBranding(
  written: z.input<ChangeSchema>,
  settings: BrandingSettings,
): { readonly change: BrandingChange } | { readonly faults: readonly BrandingRefusal[] } {
  const { data, error } = changeSchema(settings).safeParse(written);
  if (data) return { change: data };
  return {
    faults: error.issues.map(({ path, message }) => ({
      code: path[0] === 'allowedDomains' ? 'INVALID_DOMAIN' : 'INVALID_BRANDING',
      message,
      field: String(path[0]),
    })),
  };
}
