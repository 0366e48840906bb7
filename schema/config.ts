/** SALEOR_API_URL: the Saleor that is asked for its schema when the command line names none; the same variable as the router's. */
export const saleorApiUrl = (): string | undefined => process.env['SALEOR_API_URL'] || undefined;
