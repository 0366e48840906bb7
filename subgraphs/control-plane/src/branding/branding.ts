import type { Branding } from '@agentstore/kernel/branding';
import type { MicroCredits } from '@agentstore/kernel/credits';
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
export const longestBrandName = 60;

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
