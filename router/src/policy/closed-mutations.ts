import {
  GraphQLError,
  Kind,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/**
 * Mutations of Saleor that are closed at the router, and why. People are known by the identity provider alone: whoever could register an address or
 * set a password in Saleor first would keep a way into the account of its later owner.
 */
export const closedMutations: Readonly<Record<string, string>> = {
  accountRegister: 'accounts are made at the identity provider',
  tokenCreate: 'sign in at the identity provider',
  tokenRefresh: 'sign in at the identity provider',
  tokensDeactivateAll: 'sign out at the identity provider',
  requestPasswordReset: 'passwords are kept by the identity provider',
  setPassword: 'passwords are kept by the identity provider',
  passwordChange: 'passwords are kept by the identity provider',
  confirmAccount: 'e-mails are verified by the identity provider',
  sendConfirmationEmail: 'e-mails are verified by the identity provider',
  requestEmailChange: 'e-mails are changed at the identity provider',
  confirmEmailChange: 'e-mails are changed at the identity provider',
  externalAuthenticationUrl: 'sign in at the identity provider',
  externalObtainAccessTokens: 'sign in at the identity provider',
  externalRefresh: 'sign in at the identity provider',
  externalLogout: 'sign out at the identity provider',
  externalVerify: 'sign in at the identity provider',
};

/** The refusal of an operation that asks for a closed mutation, through whatever fragments or aliases. */
export function closedMutationError(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): GraphQLError | undefined {
  if (operation.operation !== 'mutation') return undefined;
  for (const name of rootFields(operation.selectionSet, fragments)) {
    const reason = closedMutations[name];
    if (reason)
      return new GraphQLError(`${name} is closed here: ${reason}.`, {
        extensions: { code: 'FORBIDDEN_OPERATION' },
      });
  }
  return undefined;
}

/** Names of the root fields, fragments resolved; each fragment is entered once. */
export function rootFields(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  seen = new Set<string>(),
): string[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(selection.selectionSet, fragments, seen);
    const fragment = fragments.get(selection.name.value);
    if (!fragment || seen.has(fragment.name.value)) return [];
    return rootFields(fragment.selectionSet, fragments, seen.add(fragment.name.value));
  });
}
