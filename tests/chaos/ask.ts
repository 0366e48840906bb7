/** Asks the database as the superuser. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<Record<string, string | null>[]>;
