-- name: list
select resource_type, members, grant_key is not null as has_grant_key, url, cardinality(secrets) as secrets,
  cache_seconds, client_events, updated_at
from resource_policies where tenant = $1 order by resource_type

-- name: find
select resource_type, members, grant_key is not null as has_grant_key, url, cardinality(secrets) as secrets,
  cache_seconds, client_events, updated_at
from resource_policies where tenant = $1 and resource_type = $2

-- name: lock
select grant_key, secrets from resource_policies where tenant = $1 and resource_type = $2 for update

-- name: count
select count(*) from resource_policies where tenant = $1

-- name: upsert
insert into resource_policies as p (tenant, resource_type, members, grant_key, url, secrets, cache_seconds, client_events)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant, resource_type) do update
  set members = excluded.members, grant_key = excluded.grant_key, url = excluded.url, secrets = excluded.secrets,
    cache_seconds = excluded.cache_seconds, client_events = excluded.client_events, updated_at = clock_timestamp()

-- name: remove
delete from resource_policies where tenant = $1 and resource_type = $2 returning resource_type
