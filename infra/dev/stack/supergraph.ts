import fs from 'node:fs';
import { composeToFile } from '@agentstore/schema/compose-supergraph';
import { fetchSaleorSdl, ownSubgraphs, saleorName } from '@agentstore/schema/subgraphs';

/**
 * Brings the router's supergraph up to date with our subgraphs and the shop, and answers what to say of it. A shop that is down or does not fit leaves
 * the last good one; throws when there is none.
 */
export async function refreshSupergraph(file: string, shopUrl: string): Promise<string> {
  try {
    const shop = { name: saleorName, sdl: await fetchSaleorSdl(shopUrl) };
    return composeToFile([...ownSubgraphs(), shop], file)
      ? 'composed from our subgraphs and the shop'
      : 'unchanged';
  } catch (error) {
    if (!fs.existsSync(file)) throw error;
    return `the last good one: ${(error as Error).message}`;
  }
}
