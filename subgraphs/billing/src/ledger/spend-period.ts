export type SpendPeriod = 'TODAY' | 'LAST_7_DAYS' | 'THIS_MONTH' | 'LAST_30_DAYS' | 'ALL';

/** The instant a period starts, in UTC; null for everything. */
export function startOfPeriod(period: SpendPeriod, now: Date): Date | null {
  const day = 86_400_000;
  switch (period) {
    case 'TODAY':
      return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
    case 'LAST_7_DAYS':
      return new Date(now.getTime() - 7 * day);
    case 'THIS_MONTH':
      return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    case 'LAST_30_DAYS':
      return new Date(now.getTime() - 30 * day);
    case 'ALL':
      return null;
  }
}
