import { internalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import { uuidv7 } from '@agentstore/kernel/ids';
import { devSecrets } from '../state/secrets.ts';
import type { Delivery } from './main-job.ts';

/** Asks the provisioner as an operator of the store does who sits behind the router: the state directory holds the key that says so. */
export function provisionerDeliveries(
  url: string,
  stateDir: string,
): (orderId: string) => Promise<readonly Delivery[]> {
  return async (orderId) => {
    const { internalPrivateJwk } = await devSecrets(stateDir);
    const sign = await internalTokenSigner(internalPrivateJwk);
    const token = await sign(
      {
        kind: 'USER',
        userId: uuidv7(),
        subject: 'demo',
        email: 'operator@demo.agentstore.dev',
        emailVerified: true,
        memberships: [],
        operator: true,
      },
      'provisioner',
    );
    const answer = await fetch(`${url}/internal/orders/${encodeURIComponent(orderId)}/deliveries`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`the provisioner answered ${answer.status}`);
    return ((await answer.json()) as { deliveries: Delivery[] }).deliveries;
  };
}
