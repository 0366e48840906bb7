import type { Account } from './accounts.store.ts';

/** What tokens say about a person, beside `sub`. `agentstore_roles` is there only for staff of the store. */
export const accountClaims = (account: Account) => ({
  email: account.email,
  email_verified: account.emailVerified,
  name: `${account.givenName} ${account.familyName}`.trim(),
  given_name: account.givenName,
  family_name: account.familyName,
  ...(account.roles.length ? { agentstore_roles: account.roles } : {}),
});
