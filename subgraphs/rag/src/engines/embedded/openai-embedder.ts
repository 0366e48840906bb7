import { z } from 'zod';
import { ServiceError, UnavailableError, type ServiceClient } from '@agentstore/kernel/service-client';
import { normalised, type Embedder } from './embedder.ts';

const answerShape = z.object({
  data: z.array(z.object({ index: z.number(), embedding: z.array(z.number()) })),
});

/**
 * An embeddings endpoint as OpenAI has it (`POST /v1/embeddings`), which most model servers speak. Batches go one after the other; a refusal is
 * UnavailableError too, because no document is to blame for it.
 */
export function openAiEmbedder(options: {
  /** Of the endpoint's origin, with its key, and the deadline of a batch. */
  readonly client: ServiceClient;
  /** `/v1/embeddings`, with what stands before it. */
  readonly path: string;
  readonly model: string;
  /** Of the model's vectors; an answer of another length is refused. */
  readonly dimensions: number;
  /** Most texts of one request. */
  readonly batch: number;
}): Embedder {
  const { client, path, model, dimensions } = options;

  async function embedBatch(input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const asked = { model, input, encoding_format: 'float' };
    const answer = await client.call('POST', path, asked, { signal, retries: 2 }).catch((error: unknown) => {
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
