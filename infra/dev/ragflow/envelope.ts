/** Codes of Ragflow's envelope. They decide; the status of the transport is 200 for all of them. */
export const code = { ok: 0, argument: 101, data: 102, authentication: 109, server: 500 } as const;

/** What is not done: becomes an envelope with this code. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  constructor(refused: number, message: string) {
    super(message);
    this.code = refused;
  }
}

export const notOwned = (dataset: string): Refusal =>
  new Refusal(code.data, `You don't own the dataset ${dataset}.`);

/** `more`: members beside `data`, such as a total. */
export const enveloped = (data: unknown, more: object = {}): Response =>
  Response.json({ code: code.ok, ...(data === undefined ? {} : { data }), ...more });

export const refusedAs = (refusal: { readonly code: number; readonly message: string }): Response =>
  Response.json({ code: refusal.code, message: refusal.message });
