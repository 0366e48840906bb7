-- Beside instances there are knowledge bases. Wherever a row has an instance_id, it is the id of the one or the other: the kind of the resource says which,
-- and here, where there is none, this column.
alter table committed add column subject text not null default 'instance' check (subject in ('instance', 'knowledgeBase'));
