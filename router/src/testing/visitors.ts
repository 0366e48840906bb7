import type { WidgetGrant } from '@agentstore/kernel/auth/widget-token';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { WidgetSession } from '@agentstore/kernel/widget-session';

export const site = 'https://shop.example';

/** What a token of a visitor says. */
export const grantOf = (more: Partial<WidgetGrant> = {}): WidgetGrant => ({
  sessionId: uuidv7(),
  visitorId: uuidv7(),
  instanceId: uuidv7(),
  organizationId: uuidv7(),
  origin: site,
  spendCap: '5000000',
  showToolSteps: true,
  ...more,
});

/** What the control plane answers to a page that asks for a session. */
export function sessionOf(more: Partial<WidgetSession> = {}): WidgetSession {
  const { showToolSteps, ...session } = grantOf();
  return {
    ...session,
    handle: 'handle-1',
    identified: false,
    branding: {
      brandName: 'Ada',
      logoUrl: null,
      avatarUrl: null,
      primaryColor: '#112233',
      accentColor: '#445566',
      fontFamily: 'system-ui',
      launcherText: '',
      position: 'BOTTOM_RIGHT',
      colorScheme: 'AUTO',
      greeting: null,
      suggestedPrompts: [],
      showToolSteps,
    },
    ...more,
  };
}
