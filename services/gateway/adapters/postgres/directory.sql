-- name: memberships
-- All that decides what readers may see, read at one moment and by one statement, for many connect at once: `of`
-- memberships (a null name: none), of mutes (a type; null: none), and of what is said by their tenants.
select 'memberships' as of, tenant, reader, version, room as name, joined_seq, left_seq, source,
  null::timestamptz as since, null::timestamptz as until
from feed_memberships($1, $2)
union all
select 'mutes', tenant, reader, null, type, null, null, null, since, until from feed_mutes($1, $2)
union all
select 'said', tenant, null, version, null, null, null, null, null, null from feed_tenant_versions($1);

-- name: versions
select tenant, reader, version from feed_versions($1, $2);

-- name: said
select tenant, version from feed_tenant_versions($1);

-- name: tenants
select tenant, disabled_at is null as enabled from tenants where tenant = any ($1::text[]);

-- name: open_claims
select from memberships_open($1, $2, $3, array_fill(null::text, array[cardinality($3::text[])]), 'claim');
