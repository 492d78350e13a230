-- name: in_force
select version, document, valid_from from preferences where tenant = $1 and user_id = $2 and valid_to is null;

-- name: put
-- $3 the new version, $4 its document: it follows the one in force at one moment.
with moment as materialized (
  select greatest(clock_timestamp(), max(valid_from)) as now from preferences where tenant = $1 and user_id = $2
), ended as (
  update preferences set valid_to = moment.now from moment
  where tenant = $1 and user_id = $2 and valid_to is null returning 1
), begun as (
  insert into preferences (tenant, user_id, version, document, valid_from)
  select $1, $2, $3, $4, now from moment where (select count(*) from ended) >= 0
  returning valid_from
)
select valid_from from begun;

-- name: mute
-- $3 the types that are muted from now on; all others are not any more. Whether anything changed.
with moment as materialized (select clock_timestamp() as now),
ended as (
  update mutes set until = moment.now from moment
  where tenant = $1 and user_id = $2 and until is null and not type = any ($3::text[])
  returning 1
), begun as (
  insert into mutes (tenant, user_id, type, since)
  select $1, $2, t, moment.now from unnest($3) as t cross join moment
  where not exists (select from mutes m where m.tenant = $1 and m.user_id = $2 and m.type = t and m.until is null)
  returning 1
)
select exists (select from ended) or exists (select from begun);

-- name: raise_version
-- Sockets of the reader read anew what they may be shown.
select raise_own_version();
