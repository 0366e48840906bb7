-- The lists behind a word or a trigram in the index were those of the whole store, so a search in a small base read through what all others hold, and
-- cost more with each of them. Now every list is of one base (ADR 0018).

-- What words are looked up by: the upper half of a key is of the base, so that the lists of a base lie side by side; the lower half of the word. Two
-- words of a base, or two bases, that have a half in common by chance are told apart by the row. `cost` as measured: never to be worked out row by row.
create function keys_within(base uuid, words text[]) returns int8[] language sql immutable strict parallel safe cost 1000 as $$
  select array_agg((uuid_hash_extended(base, 0) & -4294967296) | (hashtextextended(word, 0) & 4294967295)) from unnest(words) word
$$;

drop index chunk_words;
create index chunk_words on chunk using gin (keys_within(knowledge_base_id, tsvector_to_array(tsv))) with (fastupdate = off);
drop index indexed_term_likeness;
create index indexed_term_likeness on indexed_term using gin (keys_within(knowledge_base_id, show_trgm(term))) with (fastupdate = off);

-- So many of a word's trigrams that no term has none of them and is like it all the same: being like it takes two fifths of them at least. Those at the
-- ends of a word, which many words have in common, are left out first.
create function telling_trigrams(word text) returns text[] language sql immutable strict parallel safe as $$
  select (array_agg(trigram order by trigram like '  %', trigram like '% ', trigram like ' %'))[:floor(0.6 * count(*))::int + 1]
  from unnest(show_trgm(word)) trigram
$$;

-- The terms of a base that a word may be meant for, the likeliest first. `offset 0` keeps the planner from reading all terms of the base instead.
create function terms_alike(p_base uuid, p_word text) returns table (term text, chunks int, likeness real) language sql stable rows 3
set search_path from current set plan_cache_mode = force_generic_plan set max_parallel_workers_per_gather = 0
set pg_trgm.similarity_threshold = 0.4 set pg_trgm.word_similarity_threshold = 0.6 as $$
  select t.term, t.chunks, greatest(similarity(t.term, p_word), word_similarity(p_word, t.term)) as likeness
  from (select * from indexed_term where keys_within(knowledge_base_id, show_trgm(term)) && keys_within(p_base, telling_trigrams(p_word)) offset 0) t
  where t.knowledge_base_id = p_base and (t.term % p_word or t.term %> p_word)
  order by 3 desc, t.term limit 3
$$;

-- As before, but for how words are looked up. The best plan is now the same for every base and query, so it is made once for each connection; each
-- lookup that `limit 1` ends goes straight to its row, where the planner would rather read all terms of a base that is small on average.
create or replace function rank_chunks(p_organization uuid, p_project uuid, p_base uuid, p_query text, p_documents uuid[], p_candidates int, p_limit int)
returns table (id uuid, score real) language plpgsql stable security definer
set search_path from current set plan_cache_mode = force_generic_plan set enable_seqscan = off
set max_parallel_workers_per_gather = 0 as $$
declare
  v_base indexed_base;
  -- One member for each lexeme that is looked for: of which word, in how many chunks, how much it tells.
  v_terms tsquery[];
  v_weights real[];
  v_most real;
  -- One member for each word, the rarest first: the keys of its lexemes, as text since they are not equally many.
  v_words text[];
  v_chunks int[];
  v_rare int8[] := '{}';
  v_sum int := 0;
  -- Where the candidates lie, and stay: their rows are never updated, and what the statement sees is not cleaned up.
  v_found tid[] := '{}';
begin
  select * into v_base from indexed_base b
    where b.knowledge_base_id = p_base and b.organization_id = p_organization and b.project_id = p_project and scope_allows(b.organization_id);
  if not found then return; end if;

  with lexeme as (
    select unnest(word.positions) as place, word.lexeme, language from unnest(v_base.languages) language,
      unnest(to_tsvector(language::regconfig, p_query)) word
  ), known as (
    select l.place, l.lexeme as term, t.chunks, 1::real as likeness from (select distinct place, lexeme from lexeme) l
      cross join lateral (select i.chunks from indexed_term i where i.knowledge_base_id = p_base and i.term = l.lexeme limit 1) t
  ), unknown as (
    -- A word that one of the languages takes for a filler is none to look for.
    select l.place, min(l.lexeme) as lexeme from lexeme l where l.place not in (select k.place from known k)
      group by l.place having count(*) = cardinality(v_base.languages) order by l.place limit 4
  ), term as (
    select place, term, chunks, likeness * ln(1 + (v_base.chunks - least(chunks, v_base.chunks) + 0.5) / (chunks + 0.5)) as weight
    from (select * from known
      union all select u.place, t.term, t.chunks, (0.7 * t.likeness)::real from unknown u, terms_alike(p_base, u.lexeme) t) looked_for
  ), best as (
    select term, max(weight) as weight from term group by term
  ), word as (
    select keys_within(p_base, array_agg(term))::text as keys, sum(chunks)::int as chunks, max(weight) as weight from term group by place
  )
  select (select array_agg(lexeme_query(term) order by term) from best), (select array_agg(weight::real order by term) from best),
    sum(weight)::real, array_agg(keys order by chunks, keys), array_agg(chunks order by chunks, keys)
    into v_terms, v_weights, v_most, v_words, v_chunks from word;
  if v_terms is null then return; end if;

  for i in 1 .. cardinality(v_words) loop
    v_sum := v_sum + v_chunks[i];
    exit when v_sum > p_candidates;
    v_rare := v_rare || v_words[i]::int8[];
  end loop;
  if v_rare <> '{}' then
    v_found := array(select c.ctid from chunk c where keys_within(c.knowledge_base_id, tsvector_to_array(c.tsv)) && v_rare
      and c.knowledge_base_id = p_base and (p_documents is null or c.document_id = any (p_documents)));
  end if;
  if v_sum > p_candidates then
    -- Chunks with all of the rarest words; with fewer than four of them the last one is asked for again.
    for most in reverse least(cardinality(v_words), 4) .. 1 loop
      exit when cardinality(v_found) >= p_limit;
      v_found := v_found || array(select c.ctid from chunk c
        where keys_within(c.knowledge_base_id, tsvector_to_array(c.tsv)) && v_words[1]::int8[]
        and keys_within(c.knowledge_base_id, tsvector_to_array(c.tsv)) && v_words[least(2, most)]::int8[]
        and keys_within(c.knowledge_base_id, tsvector_to_array(c.tsv)) && v_words[least(3, most)]::int8[]
        and keys_within(c.knowledge_base_id, tsvector_to_array(c.tsv)) && v_words[most]::int8[]
        and c.knowledge_base_id = p_base and (p_documents is null or c.document_id = any (p_documents)) limit p_candidates - cardinality(v_found));
    end loop;
  end if;

  return query select c.id, least(1, sum(t.weight * ts_rank('{0, 0, 0.9, 1}', c.tsv, t.term)) / v_most)::real as score
    from chunk c cross join unnest(v_terms, v_weights) as t (term, weight) where c.ctid = any (v_found)
    group by c.id order by score desc, c.id limit p_limit;
end $$;
