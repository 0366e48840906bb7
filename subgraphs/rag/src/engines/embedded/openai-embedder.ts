import { z } from 'zod';
import {
  createServiceClient,
  ServiceError,
  UnavailableError,
  type Send,
} from '@agentstore/kernel/http/client';
import { normalised, type Embedder } from './embedder.ts';

const answerShape = z.object({
  data: z.array(z.object({ index: z.number(), embedding: z.array(z.number()) })),
});

/**
 * An embeddings endpoint as OpenAI has it (`POST /v1/embeddings`), which most model servers speak. Batches go one after the other; a refusal is
 * UnavailableError too, because no document is to blame for it.
 */
export function openAiEmbedder(options: {
  /** The whole address: `https://…/v1/embeddings`. */
  readonly url: string;
  readonly key?: string;
  readonly model: string;
  /** Of the model's vectors; an answer of another length is refused. */
  readonly dimensions: number;
  readonly batch: number;
  /** Of one batch. */
  readonly deadlineMs: number;
  readonly send?: Send;
}): Embedder {
  const { url, key, model, dimensions } = options;
  const client = createServiceClient({
    name: 'embeddings',
    baseUrl: url,
    deadlineMs: options.deadlineMs,
    ...(key === undefined ? {} : { token: () => Promise.resolve(key) }),
    ...(options.send ? { send: options.send } : {}),
  });
  const { pathname, search } = new URL(url);

  async function embedBatch(input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const asked = { model, input, encoding_format: 'float' };
    const answer = await client
      .call('POST', pathname + search, asked, { signal, retries: 2 })
      .catch((error: unknown) => {
        throw error instanceof ServiceError ? wrong(`refused with ${error.status}`) : error;
      });
    const read = answerShape.safeParse(answer);
    if (!read.success) throw wrong('gave an answer of another shape');
    const vectors = read.data.data
      .toSorted((a, b) => a.index - b.index)
      .map(({ embedding }) => normalised(Float32Array.from(embedding)));
    if (vectors.length !== input.length)
      throw wrong(`gave ${vectors.length} vectors for ${input.length} texts`);
    const other = vectors.find(({ length }) => length !== dimensions);
    if (other) throw wrong(`gave vectors of ${other.length} dimensions instead of ${dimensions}`);
    return vectors;
  }

  return {
    model,
    dimensions,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (let from = 0; from < texts.length; from += options.batch)
        vectors.push(...(await embedBatch(texts.slice(from, from + options.batch), signal)));
      return vectors;
    },
  };
}

const wrong = (what: string): UnavailableError => new UnavailableError('embeddings', `it ${what}`);
