import {
  buildASTSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  parse,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { expect, it } from 'vitest';
import { shopSdl } from './sdl.ts';
import { describeRecorded, recordedText } from './testing/recorded.ts';

const withKey = 'directive @key(fields: String!) repeatable on OBJECT | INTERFACE\n';
const schemaOf = (sdl: string): GraphQLSchema =>
  buildASTSchema(parse(sdl.includes('directive @key') ? sdl : withKey + sdl), { assumeValidSDL: true });

type Input = GraphQLArgument | GraphQLInputField;

/** Where the real schema differs from ours, one sentence each; empty when ours is a true subset. */
function differences(ours: GraphQLSchema, real: GraphQLSchema): { checked: number; faults: string[] } {
  const faults: string[] = [];
  let checked = 0;
  const same = (what: string, mine: unknown, theirs: unknown): void => {
    checked += 1;
    if (String(mine) !== String(theirs))
      faults.push(`${what}: ours is ${String(mine)}, the real one ${String(theirs)}`);
  };
  const inputs = (
    what: string,
    mine: readonly Input[],
    theirs: readonly Input[],
    required: (one: Input) => boolean,
  ): void => {
    for (const one of mine) {
      const other = theirs.find(({ name }) => name === one.name);
      same(`${what}(${one.name})`, one.type, other?.type);
      same(
        `${what}(${one.name}) default`,
        JSON.stringify(one.defaultValue),
        JSON.stringify(other?.defaultValue),
      );
    }
    for (const other of theirs.filter(required))
      same(
        `${what}(${other.name}) is required`,
        mine.some(({ name }) => name === other.name),
        true,
      );
  };
  for (const [name, mine] of Object.entries(ours.getTypeMap())) {
    if (name.startsWith('__')) continue;
    const theirs: GraphQLNamedType | undefined = real.getType(name);
    same(`kind of ${name}`, mine.constructor.name, theirs?.constructor.name);
    if (isEnumType(mine) && isEnumType(theirs))
      for (const value of mine.getValues())
        same(`${name}.${value.name}`, true, theirs.getValue(value.name) !== undefined);
    if (isUnionType(mine) && isUnionType(theirs))
      for (const member of mine.getTypes())
        same(
          `${name} = ${member.name}`,
          true,
          theirs.getTypes().some((one) => one.name === member.name),
        );
    if (isInputObjectType(mine) && isInputObjectType(theirs))
      inputs(name, Object.values(mine.getFields()), Object.values(theirs.getFields()), (one) =>
        isRequiredInputField(one as GraphQLInputField),
      );
    if ((isObjectType(mine) && isObjectType(theirs)) || (isInterfaceType(mine) && isInterfaceType(theirs))) {
      for (const one of mine.getInterfaces())
        same(
          `${name} implements ${one.name}`,
          true,
          theirs.getInterfaces().some((other) => other.name === one.name),
        );
      for (const [field, definition] of Object.entries(mine.getFields())) {
        const other = theirs.getFields()[field];
        same(`${name}.${field}`, definition.type, other?.type);
        if (other)
          inputs(`${name}.${field}`, definition.args, other.args, (one) =>
            isRequiredArgument(one as GraphQLArgument),
          );
      }
      const keys = (type: typeof mine): string =>
        (type.astNode?.directives ?? [])
          .filter((one) => one.name.value === 'key')
          .map((one) =>
            JSON.stringify(
              one.arguments?.map((argument) => argument.value.kind === 'StringValue' && argument.value.value),
            ),
          )
          .sort()
          .join();
      same(`keys of ${name}`, keys(mine), keys(theirs));
    }
  }
  return { checked, faults };
}

describeRecorded('the schema is a true subset of the real one', () => {
  const real = schemaOf(recordedText('saleor-3.22-federated.graphql'));

  it('has no type, field, argument, default, enum value or key that differs', () => {
    const { checked, faults } = differences(schemaOf(shopSdl), real);
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(1_500);
  });

  it('would notice a changed nullability, an invented field, a foreign default and a missing required argument', () => {
    const planted = shopSdl
      .replace('userEmail: String\n', 'userEmail: String!\n')
      .replace('type MetadataItem {', 'type MetadataItem {\n  invented: Int')
      .replace('activateAfterInstallation: Boolean = true', 'activateAfterInstallation: Boolean = false')
      .replace('tokenVerify(token: String!)', 'tokenVerify')
      .replace('@key(fields: "email")', '');
    expect(differences(schemaOf(planted), real).faults).toHaveLength(5);
  });
});

it('prints neither federation roots, nor a Subscription root, nor @link', () => {
  const schema = schemaOf(shopSdl);
  expect(Object.keys(schema.getQueryType()!.getFields()).filter((name) => name.startsWith('_'))).toEqual([]);
  expect(schema.getSubscriptionType()).toBeUndefined();
  expect(shopSdl).not.toContain('@link');
});
