export type Errors = readonly { readonly code: string; readonly message: string }[];

/** Throws the first refusal of a command. */
export function accept(errors: Errors): void {
  const [first] = errors;
  if (first) throw new Error(`${first.code}: ${first.message}`);
}
