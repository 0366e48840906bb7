export type Errors = readonly {
  readonly code: string;
  readonly message: string;
  readonly field?: string | null;
}[];

/** Throws the first refusal of a command. */
export function accept(errors: Errors): void {
  const [first] = errors;
  if (first) throw new Error(`${first.code}${first.field ? ` (${first.field})` : ''}: ${first.message}`);
}
