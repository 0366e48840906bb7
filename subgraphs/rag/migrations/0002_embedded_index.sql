-- The embedded engine's index. It stands alone: bases and documents are ids of others, so that another engine can take its place.

create extension if not exists btree_gin with schema public;
create extension if not exists pg_trgm with schema public;

create table indexed_base (
  knowledge_base_id uuid primary key,
  organization_id uuid not null,
  project_id uuid not null,
  -- Null: found out for each document.
  language text,
  -- Of its documents so far; one that has gone does no harm.
  languages text[] not null default '{}',
  chunks int not null default 0
) with (fillfactor = 50);

create table indexed_document (
  document_id uuid primary key,
  knowledge_base_id uuid not null references indexed_base,
  organization_id uuid not null,
  name text not null,
  chunks int not null default 0
);
create index indexed_document_of_base on indexed_document (knowledge_base_id);

-- Rows stay whole and unpacked on their page: ranking reads `tsv` of hundreds of them.
create table chunk (
  id uuid primary key,
  document_id uuid not null references indexed_document,
  -- The attempt that it came with: the old and the new text of a document are apart until they change places.
  ingest_id uuid not null,
  knowledge_base_id uuid not null,
  organization_id uuid not null,
  page int,
  text text not null,
  tsv tsvector not null
) with (toast_tuple_target = 8160);
alter table chunk alter tsv set storage external;
create index chunk_of_document on chunk (document_id);
-- Without a list of pending entries, which every search would have to read through.
create index chunk_words on chunk using gin (knowledge_base_id, tsv) with (fastupdate = off);

-- In how many chunks of a base a word is: what tells rare words from common ones, before the rows are looked at.
create table indexed_term (
  knowledge_base_id uuid not null,
  term text not null,
  organization_id uuid not null,
  chunks int not null,
  primary key (knowledge_base_id, term)
) with (fillfactor = 80);
-- For words that are written otherwise than in the documents.
create index indexed_term_likeness on indexed_term using gin (knowledge_base_id, term gin_trgm_ops) with (fastupdate = off);

-- The signs of a vector's members stand for it in a first look over a whole base; the vector itself (float4, little-endian, of length 1) is
-- compared for the nearest of them.
create table chunk_vector (
  chunk_id uuid primary key references chunk on delete cascade,
  document_id uuid not null,
  knowledge_base_id uuid not null,
  organization_id uuid not null,
  -- With the number of dimensions: vectors of different models are never compared.
  model text not null,
  signs bit varying not null,
  vector bytea not null
) with (toast_tuple_target = 256);
alter table chunk_vector alter vector set storage external;
create index chunk_vector_of_base on chunk_vector (knowledge_base_id, model);

alter table indexed_base enable row level security;
alter table indexed_document enable row level security;
alter table chunk enable row level security;
alter table indexed_term enable row level security;
alter table chunk_vector enable row level security;
create policy tenant on indexed_base using (scope_allows(organization_id));
create policy tenant on indexed_document using (scope_allows(organization_id));
create policy tenant on chunk using (scope_allows(organization_id));
create policy tenant on indexed_term using (scope_allows(organization_id));
create policy tenant on chunk_vector using (scope_allows(organization_id));

-- The chunks of one attempt take the place of all others of the document; with an attempt that wrote none the document is empty. Words are counted
-- in one pass and in their order, so that attempts on one base wait for each other instead of blocking each other. Answers how many chunks there are.
create function swap_chunks(p_base uuid, p_document uuid, p_ingest uuid) returns int language plpgsql as $$
declare
  v_before int;
  v_after int;
begin
  select count(*) filter (where ingest_id <> p_ingest), count(*) filter (where ingest_id = p_ingest) into v_before, v_after
    from chunk where document_id = p_document;
  insert into indexed_term as known (knowledge_base_id, term, organization_id, chunks)
    select p_base, word.lexeme, c.organization_id, sum(case when c.ingest_id = p_ingest then 1 else -1 end) as change
    from chunk c, unnest(c.tsv) word where c.document_id = p_document group by word.lexeme, c.organization_id
    having sum(case when c.ingest_id = p_ingest then 1 else -1 end) <> 0 order by word.lexeme
    on conflict (knowledge_base_id, term) do update set chunks = known.chunks + excluded.chunks;
  delete from indexed_term t using (select distinct word.lexeme from chunk c, unnest(c.tsv) word
      where c.document_id = p_document and c.ingest_id <> p_ingest) gone
    where t.knowledge_base_id = p_base and t.term = gone.lexeme and t.chunks <= 0;
  delete from chunk where document_id = p_document and ingest_id <> p_ingest;
  update indexed_document set chunks = v_after where document_id = p_document;
  update indexed_base set chunks = chunks + v_after - v_before where knowledge_base_id = p_base;
  return v_after;
end $$;

create function lexeme_query(lexeme text) returns tsquery language sql immutable strict parallel safe as $$
  select ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
$$;

-- The best chunks of a base for a query by its words, best first; `score` is 0…1. What a search costs depends on the words of the query, not on
-- the number of chunks: words are looked up with the number of chunks that have them; rare ones choose the candidates, common ones only together.
-- As the owner, because row-level security keeps `@@` from every index; whose base it is is asked first. Planned anew each time: a plan for the
-- average base is a bad one for a large base.
create function rank_chunks(p_organization uuid, p_project uuid, p_base uuid, p_query text, p_documents uuid[], p_candidates int, p_limit int)
returns table (id uuid, score real) language plpgsql stable security definer
set search_path from current set plan_cache_mode = force_custom_plan
set pg_trgm.similarity_threshold = 0.4 set pg_trgm.word_similarity_threshold = 0.6 as $$
declare
  v_base indexed_base;
  -- One member for each lexeme that is looked for: of which word, in how many chunks, how much it tells.
  v_terms tsquery[];
  v_weights real[];
  v_most real;
  -- One member for each word, the rarest first.
  v_words tsquery[];
  v_chunks int[];
  v_rare tsquery;
  v_together tsquery;
  v_sum int := 0;
  v_found uuid[] := '{}';
begin
  select * into v_base from indexed_base b
    where b.knowledge_base_id = p_base and b.organization_id = p_organization and b.project_id = p_project and scope_allows(b.organization_id);
  if not found then return; end if;

  with lexeme as (
    select unnest(word.positions) as place, word.lexeme, language from unnest(v_base.languages) language,
      unnest(to_tsvector(language::regconfig, p_query)) word
  ), known as (
    select l.place, l.lexeme as term, t.chunks, 1::real as likeness from (select distinct place, lexeme from lexeme) l
      join indexed_term t on t.knowledge_base_id = p_base and t.term = l.lexeme
  ), unknown as (
    -- A word that one of the languages takes for a filler is none to look for.
    select l.place, min(l.lexeme) as lexeme from lexeme l where l.place not in (select k.place from known k)
      group by l.place having count(*) = cardinality(v_base.languages) order by l.place limit 4
  ), alike as (
    select u.place, t.term, t.chunks, t.likeness from unknown u cross join lateral (
      select n.term, n.chunks, (0.7 * greatest(similarity(n.term, u.lexeme), word_similarity(u.lexeme, n.term)))::real as likeness
      from indexed_term n where n.knowledge_base_id = p_base and (n.term % u.lexeme or n.term %> u.lexeme)
      order by 3 desc, n.term limit 3) t
  ), term as (
    select place, term, chunks, likeness * ln(1 + (v_base.chunks - least(chunks, v_base.chunks) + 0.5) / (chunks + 0.5)) as weight
    from (select * from known union all select * from alike) looked_for
  ), best as (
    select term, max(weight) as weight from term group by term
  ), word as (
    select string_agg(lexeme_query(term)::text, '|')::tsquery as query, sum(chunks)::int as chunks, max(weight) as weight
    from term group by place
  )
  select (select array_agg(lexeme_query(term) order by term) from best), (select array_agg(weight::real order by term) from best),
    sum(weight)::real, array_agg(query order by chunks, query), array_agg(chunks order by chunks, query)
    into v_terms, v_weights, v_most, v_words, v_chunks from word;
  if v_terms is null then return; end if;

  for i in 1 .. cardinality(v_words) loop
    v_sum := v_sum + v_chunks[i];
    exit when v_sum > p_candidates;
    v_rare := coalesce(v_rare || v_words[i], v_words[i]);
  end loop;
  if v_rare is not null then
    v_found := array(select c.id from chunk c where c.knowledge_base_id = p_base and c.tsv @@ v_rare
      and (p_documents is null or c.document_id = any (p_documents)));
  end if;
  if v_sum > p_candidates then
    for most in reverse least(cardinality(v_words), 4) .. 1 loop
      exit when cardinality(v_found) >= p_limit;
      v_together := v_words[1];
      for i in 2 .. most loop
        v_together := v_together && v_words[i];
      end loop;
      v_found := v_found || array(select c.id from chunk c where c.knowledge_base_id = p_base and c.tsv @@ v_together
        and (p_documents is null or c.document_id = any (p_documents)) limit p_candidates - cardinality(v_found));
    end loop;
  end if;

  return query select c.id, least(1, sum(t.weight * ts_rank('{0, 0, 0.9, 1}', c.tsv, t.term)) / v_most)::real as score
    from chunk c cross join unnest(v_terms, v_weights) as t (term, weight) where c.id = any (v_found)
    group by c.id order by score desc, c.id limit p_limit;
end $$;

-- The chunks of a base whose vectors may be nearest, with these: by signs over a whole base up to `p_whole` chunks; in a larger one among `p_among`.
create function near_chunks(p_organization uuid, p_project uuid, p_base uuid, p_model text, p_signs bit varying, p_documents uuid[],
  p_among uuid[], p_whole int, p_limit int)
returns table (id uuid, vector bytea) language plpgsql stable security definer set search_path from current as $$
declare
  v_chunks int;
begin
  select b.chunks into v_chunks from indexed_base b
    where b.knowledge_base_id = p_base and b.organization_id = p_organization and b.project_id = p_project and scope_allows(b.organization_id);
  if not found then return; end if;
  if v_chunks > p_whole then
    return query select v.chunk_id, v.vector from chunk_vector v
      where v.chunk_id = any (p_among) and v.knowledge_base_id = p_base and v.model = p_model;
  else
    return query select v.chunk_id, v.vector from chunk_vector v where v.knowledge_base_id = p_base and v.model = p_model
      and (p_documents is null or v.document_id = any (p_documents)) order by bit_count(v.signs # p_signs) limit p_limit;
  end if;
end $$;
