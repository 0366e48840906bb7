import { z } from 'zod';

/** How much knowledge a project may hold. */
export interface KnowledgeLimits {
  readonly knowledgeBases: number;
  /** In one knowledge base. */
  readonly documents: number;
  /** Of all documents of the project. */
  readonly bytes: number;
}

const amount = z.int().min(0).catch(0);
const given = z.object({ knowledgeBases: amount, documents: amount, bytes: amount });

/**
 * What a project may hold by the `knowledge` entitlements of its instances' plans: their bases and bytes together, and of documents in a base what the most
 * generous plan allows. A member that a plan leaves out, or that is no whole number, is 0. A project without any such plan has the store's own.
 */
export function knowledgeLimits(plans: readonly unknown[], others: KnowledgeLimits): KnowledgeLimits {
  const limits = plans.map((plan) => given.parse(plan));
  if (limits.length === 0) return others;
  return {
    knowledgeBases: limits.reduce((sum, { knowledgeBases }) => sum + knowledgeBases, 0),
    documents: Math.max(...limits.map(({ documents }) => documents)),
    bytes: limits.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
