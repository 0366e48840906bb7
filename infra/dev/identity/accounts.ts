import { createHash } from 'node:crypto';

/** Somebody who can sign in to the development store. */
export interface DevAccount {
  readonly email: string;
  readonly password: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly emailVerified: boolean;
  readonly roles: readonly string[];
}

/** The people of the demo. Their passwords are no secrets: the store they open is on this machine alone. */
export const demoAccounts: readonly DevAccount[] = [
  {
    email: 'buyer@demo.agentstore.dev',
    password: 'buyer',
    givenName: 'Bea',
    familyName: 'Buyer',
    emailVerified: true,
    roles: [],
  },
  {
    email: 'operator@demo.agentstore.dev',
    password: 'operator',
    givenName: 'Oli',
    familyName: 'Operator',
    emailVerified: true,
    roles: ['operator'],
  },
  {
    email: 'publisher@demo.agentstore.dev',
    password: 'publisher',
    givenName: 'Pat',
    familyName: 'Publisher',
    emailVerified: true,
    roles: [],
  },
];

/** `sub` of an account: stable, and says nothing about the person. */
export const subjectOf = (account: Pick<DevAccount, 'email'>): string =>
  createHash('sha256').update(`account:${account.email}`).digest('hex').slice(0, 24);
