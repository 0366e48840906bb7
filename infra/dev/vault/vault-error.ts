/** A request that Vault refuses: becomes `{"errors": […]}` with this status. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly status: number;
  readonly errors: readonly string[];
  constructor(status: number, ...errors: readonly string[]) {
    super(errors.join('; '));
    this.status = status;
    this.errors = errors;
  }
}

/** Several causes can stand in one of Vault's sentences; its Go library writes even a single one like this. */
const listed = (message: string): string => `1 error occurred:\n\t* ${message}\n\n`;

export const sealed = (): VaultError => new VaultError(503, 'Vault is sealed');
export const badToken = (): VaultError => new VaultError(403, 'permission denied');
export const denied = (): VaultError => new VaultError(403, listed('permission denied'));
export const unsupportedOperation = (): VaultError => new VaultError(405, listed('unsupported operation'));
export const notFound = (): VaultError => new VaultError(404);
export const invalid = (message: string): VaultError => new VaultError(400, message);
