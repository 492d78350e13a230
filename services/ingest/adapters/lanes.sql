-- name: announce
-- Tenants that are over their share: announced, or said to be over still. One that was about to come back goes on by
-- the bulk lane only after a notice of its own, when it has come back.
insert into diversions as d (tenant)
select distinct t from unnest($1::text[]) t
on conflict (tenant) do update set over_at = clock_timestamp() where d.ending_at is null

-- name: diversions
-- Ages in seconds, by the database's clock: processes need not agree on one.
select tenant, extract(epoch from clock_timestamp() - announced_at)::float8 as announced,
  extract(epoch from clock_timestamp() - over_at)::float8 as over,
  extract(epoch from clock_timestamp() - ending_at)::float8 as ending
from diversions

-- name: end
-- Nobody saw the tenant over its share meanwhile.
update diversions set ending_at = clock_timestamp()
where tenant = $1 and ending_at is null and over_at < clock_timestamp() - $2::interval

-- name: remove
-- Nothing of the tenant is left in the bulk lane, and nobody puts anything there: whoever looks lets it come back.
delete from diversions where tenant = $1 and ending_at is not null
