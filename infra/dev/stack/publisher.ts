import { fromGlobalId, type Uuid } from '@agentstore/kernel/ids';
import type { Identity } from '../identity/identity.ts';
import { signIn } from '../identity/sign-in.ts';
import { graphClient } from '../main-job/graph-client.ts';
import { workspace } from '../main-job/operations.ts';

/**
 * The organization of the demo's publisher, which the offering belongs to: who signs in as publisher@ can upload and publish versions of it. Made by
 * herself, as anybody makes a workspace; answers the same one each time.
 */
export async function publisherOrganization(identity: Identity, graphqlUrl: string): Promise<Uuid> {
  const publisher = identity.users.find(({ email }) => email.startsWith('publisher@'));
  if (!publisher) throw new Error('the demo has no publisher');
  const { issuer, clientId, audience } = identity;
  const { accessToken } = await signIn({ issuer, clientId, audience, ...publisher });
  const graph = graphClient({ url: graphqlUrl, token: accessToken });
  try {
    const { workspaceAuto } = await graph.query<{
      workspaceAuto: { organization: { id: string } | null; errors: { code: string }[] };
    }>(workspace);
    const id = workspaceAuto.organization && fromGlobalId('Organization', workspaceAuto.organization.id);
    if (!id) throw new Error(`the publisher got no workspace: ${workspaceAuto.errors[0]?.code ?? 'no id'}`);
    return id;
  } finally {
    await graph.close();
  }
}
