/** A binding whose secret may be called on. One that has to be given anew stays in the policy: the refusal then says what is wrong with it. */
export const isLive = (binding: string): string => `${binding}.state in ('ACTIVE', 'NEEDS_REAUTHORIZATION')`;

/** Which of the connectors under one slug an organization gets: its own, which was there first, else the store's. */
export const reaches = (connector: string, organization: string): string =>
  `(${connector}.organization_id is null or ${connector}.organization_id = ${organization})`;

/**
 * Of an instance `i` of a version `v`, one row: the connectors that the version needs as they are for this instance, each with the newest live binding of
 * the instance's project (`ReachableConnector[]`).
 */
export const reachableConnectors = `
  select coalesce(jsonb_agg(jsonb_build_object('slug', c.slug, 'sha256', d.sha256, 'tools', d.tools, 'needsSecret', cardinality(d.secret_fields) > 0,
    'bindingId', (select b.id from connector_binding b where b.project_id = i.project_id and b.connector_id = c.id and ${isLive('b')} order by b.id desc limit 1))),
    '[]') as connectors
  from (
    select distinct on (c.slug) c.id, c.slug, c.definition_sha256
    from jsonb_array_elements(v.required_connectors) needed join connector c on c.slug = needed ->> 'connector' and ${reaches('c', 'i.organization_id')}
    order by c.slug, c.organization_id nulls last
  ) c join connector_definition d on d.sha256 = c.definition_sha256`;
