/** Arguments of the provider process that tests start; JSON in its environment. */
export const childOptions = (): {
  port: number;
  stateDir: string;
  databaseUrl: string;
  publicOrigin: string;
} => JSON.parse(process.env['IDENTITY_OPTIONS'] ?? '{}');
