import type { Refusal } from '../outcome.ts';
import type { createBuilder } from './builder.ts';

type Builder = ReturnType<typeof createBuilder<object>>;

/**
 * The `errors` member of mutation payloads, in Saleor's grammar: type `<noun>Error` with `{ field message code }` and an enum
 * `<noun>ErrorCode` of the noun's refusal codes, each described. Refusals are values of `Refusal`; their `code` is the enum value.
 */
export function refusalType<Code extends string>(
  anyBuilder: object,
  noun: string,
  codes: Readonly<Record<Code, string>>,
) {
  const builder = anyBuilder as Builder;
  const codeEnum = builder.enumType(`${noun}ErrorCode`, {
    description: `Why a command on ${noun} was refused. Stable; messages may change.`,
    values: Object.fromEntries(
      Object.entries<string>(codes).map(([code, description]) => [code, { value: code, description }]),
    ),
  });
  return builder.objectRef<Refusal>(`${noun}Error`).implement({
    description: `A refused command on ${noun}: nothing was changed.`,
    fields: (t) => ({
      field: t.exposeString('field', {
        nullable: true,
        description: 'The input field it is about, when there is one.',
      }),
      message: t.exposeString('message', { description: 'A sentence for people.' }),
      code: t.field({
        type: codeEnum,
        description: 'The stable reason.',
        resolve: (refusal) => refusal.code,
      }),
    }),
  });
}
