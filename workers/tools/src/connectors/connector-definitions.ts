import { LRUCache } from 'lru-cache';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { connectorDefinition, type ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import type { ServiceClient } from '@agentstore/kernel/service-client';

/** Definitions of connectors by their sha256: what a policy pins is what is executed. */
export interface ConnectorDefinitions {
  /** Throws when it cannot be had, or is not what its hash says. */
  get(sha256: string): Promise<ConnectorDefinition>;
}

/** Asks the control plane once for each definition, which never changes. */
export function createConnectorDefinitions(
  controlPlane: ServiceClient,
  entries: number,
): ConnectorDefinitions {
  const held = new LRUCache<string, Promise<ConnectorDefinition>>({ max: entries });

  async function load(sha256: string): Promise<ConnectorDefinition> {
    const found = await controlPlane.call('GET', `/internal/connector-definitions/${sha256}`, undefined, {
      deadlineMs: 2_000,
    });
    if (hashOf(found) !== sha256) throw new Error(`the connector definition ${sha256} is another one`);
    return connectorDefinition.parse(found);
  }

  return {
    get(sha256) {
      let definition = held.get(sha256);
      if (!definition) {
        definition = load(sha256);
        held.set(sha256, definition);
        definition.catch(() => {
          if (held.peek(sha256) === definition) held.delete(sha256);
        });
      }
      return definition;
    },
  };
}
