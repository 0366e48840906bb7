import type { NewUser } from './accounts.store.ts';

/** A person whose password is made at the first start and kept in the state directory. */
export type DemoUser = Omit<NewUser, 'password'>;

/** The people of the demo. Only the operator is staff of the store; what the others may do is in their organizations. */
export const demoUsers: readonly DemoUser[] = [
  { email: 'buyer@demo.agentstore.dev', givenName: 'Bea', familyName: 'Buyer' },
  { email: 'operator@demo.agentstore.dev', givenName: 'Otto', familyName: 'Operator', roles: ['operator'] },
  { email: 'publisher@demo.agentstore.dev', givenName: 'Pia', familyName: 'Publisher' },
];
