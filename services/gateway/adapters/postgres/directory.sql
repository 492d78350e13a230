-- name: memberships
select tenant, reader, version, room, joined_seq, left_seq, source from feed_memberships($1, $2);

-- name: mutes
select tenant, reader, type, since, until from feed_mutes($1, $2);

-- name: versions
select tenant, reader, version from feed_versions($1, $2);

-- name: said
select tenant, version from feed_tenant_versions($1);

-- name: tenants
select tenant, disabled_at is null as enabled from tenants where tenant = any ($1::text[]);

-- name: open_claims
select from memberships_open($1, $2, $3, array_fill(null::text, array[cardinality($3::text[])]), 'claim');
