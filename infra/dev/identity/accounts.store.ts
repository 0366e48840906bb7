import type { Database } from '@agentstore/kernel/db/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import { hashPassword, passwordMatches } from './password.ts';

/** Somebody to be able to sign in. */
export interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly givenName: string;
  readonly familyName: string;
  /** Defaults to true. */
  readonly emailVerified?: boolean;
  /** Roles in the store itself (`operator`), told in the claim `agentstore_roles`; defaults to none. */
  readonly roles?: readonly string[];
}

/** A person as the provider knows them. */
export interface Account {
  readonly subject: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly givenName: string;
  readonly familyName: string;
  readonly roles: readonly string[];
}

const columns = `subject, email, email_verified as "emailVerified", given_name as "givenName", family_name as "familyName", roles`;

/** Makes the account, or brings the one with this e-mail up to date; its subject stays. Answers the subject. */
export async function putAccount(database: Database, user: NewUser): Promise<string> {
  const rows = await database.statement<{ subject: string }>(
    'identity-account-put',
    `-- putAccount
     insert into account (subject, email, password_hash, email_verified, given_name, family_name, roles)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (email) do update set password_hash = excluded.password_hash, email_verified = excluded.email_verified,
       given_name = excluded.given_name, family_name = excluded.family_name, roles = excluded.roles
     returning subject`,
    [
      uuidv7(),
      user.email.toLowerCase(),
      await hashPassword(user.password),
      user.emailVerified ?? true,
      user.givenName,
      user.familyName,
      user.roles ?? [],
    ],
  );
  return rows[0]!.subject;
}

/** The account of a `sub`. */
export async function accountOf(database: Database, subject: string): Promise<Account | undefined> {
  const rows = await database.statement<Account>(
    'identity-account-by-subject',
    `-- accountOf
     select ${columns} from account where subject = $1`,
    [subject],
  );
  return rows[0];
}

/** The account with this e-mail, if the password is its own. */
export async function accountOfPassword(
  database: Database,
  email: string,
  password: string,
): Promise<Account | undefined> {
  const rows = await database.statement<Account & { hash: string }>(
    'identity-account-by-email',
    `-- accountOfPassword
     select ${columns}, password_hash as hash from account where email = $1`,
    [email.trim().toLowerCase()],
  );
  return (await passwordMatches(password, rows[0]?.hash)) ? rows[0] : undefined;
}
