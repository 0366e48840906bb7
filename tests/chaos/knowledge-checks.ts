import { Client } from 'minio';
import { knowledgeBucket } from '../../infra/dev/stack/doubles.ts';
import type { Ask, ChaosStore } from './chaos-store.ts';

/** What must hold between documents, the embedded engine's index and object storage: each keeps what is there and nothing of what is gone. */
export async function knowledgeFaults(store: ChaosStore, ask: Ask): Promise<string[]> {
  const rows = await ask(`
    with document as (select * from rag.document where deleted_at is null),
      counted as (select knowledge_base_id, document_id, count(*)::int as chunks from rag.chunk group by 1, 2)
    select 'document ' || d.id || ' is READY with ' || d.chunk_count || ' chunks, of which ' || coalesce(c.chunks, 0) || ' are in the index' as what
      from document d left join counted c on c.document_id = d.id and c.knowledge_base_id = d.knowledge_base_id
      where d.state = 'READY' and (d.chunk_count = 0 or c.chunks is distinct from d.chunk_count)
    union all select 'the index keeps document ' || document_id || ', which is gone' from rag.indexed_document i
      where not exists (select from document d where d.id = i.document_id and d.knowledge_base_id = i.knowledge_base_id)
    union all select 'the index keeps knowledge base ' || knowledge_base_id || ', which is gone' from rag.indexed_base i
      where not exists (select from rag.knowledge_base b where b.id = i.knowledge_base_id)
    union all select 'the index keeps words of knowledge base ' || knowledge_base_id || ', which is gone' from rag.indexed_term t
      where not exists (select from rag.knowledge_base b where b.id = t.knowledge_base_id) group by knowledge_base_id
    union all select 'the index says that knowledge base ' || i.knowledge_base_id || ' has ' || i.chunks || ' chunks, and it has ' || coalesce(c.chunks, 0)
      from rag.indexed_base i left join (select knowledge_base_id, sum(chunks) as chunks from counted group by 1) c on c.knowledge_base_id = i.knowledge_base_id
      where i.chunks <> coalesce(c.chunks, 0)`);
  return [...rows.map(({ what }) => what!), ...(await storageFaults(store, ask))];
}

async function storageFaults({ objects }: ChaosStore, ask: Ask): Promise<string[]> {
  const { hostname, port } = new URL(objects.url);
  const { accessKey, secretKey } = objects;
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    region: 'us-east-1',
    accessKey,
    secretKey,
  });
  const stored = new Set<string>();
  for await (const { name } of client.listObjectsV2(knowledgeBucket, '', true)) stored.add(name);
  const faults: string[] = [];
  for (const { key, state } of await ask(
    "select concat_ws('/', organization_id, project_id, knowledge_base_id, id) as key, state from rag.document where deleted_at is null",
  ))
    if (!stored.delete(key!) && state !== 'AWAITING_UPLOAD')
      faults.push(`the file of document ${key}, which is ${state}, is not in object storage`);
  for (const key of stored) faults.push(`object storage keeps ${key}, whose document is gone`);
  return faults;
}
