/** Corner of the page in which the launcher sits. */
export const launcherPositions = ['BOTTOM_RIGHT', 'BOTTOM_LEFT', 'TOP_RIGHT', 'TOP_LEFT'] as const;
export type LauncherPosition = (typeof launcherPositions)[number];

/** Light, dark, or as the visitor's system says. */
export const colorSchemes = ['AUTO', 'LIGHT', 'DARK'] as const;
export type ColorScheme = (typeof colorSchemes)[number];

/** How an instance looks on a customer's site, as session init tells the widget. No secret is in it. */
export interface Branding {
  /** Name of the agent for visitors, 1 to 60 characters. */
  readonly brandName: string;
  /** https URL of a picture in the panel's head. */
  readonly logoUrl: string | null;
  /** https URL of a picture beside the agent's messages. */
  readonly avatarUrl: string | null;
  /** `#rrggbb` as it was asked for; what is drawn is `paletteOf` these, which is readable. */
  readonly primaryColor: string;
  readonly accentColor: string;
  /** CSS font-family list of plain names, without quotes: `Inter, system-ui, sans-serif`. */
  readonly fontFamily: string;
  /** On the launcher and its accessible name; empty for the icon alone. */
  readonly launcherText: string;
  readonly position: LauncherPosition;
  readonly colorScheme: ColorScheme;
  /** First words of the agent in a new conversation; null for the widget's own in the visitor's language. */
  readonly greeting: string | null;
  /** Up to 6 prompts that a visitor can send with one press. */
  readonly suggestedPrompts: readonly string[];
  /** Whether visitors see what tools the agent calls; if not, nothing of it is sent to them. */
  readonly showToolSteps: boolean;
}
