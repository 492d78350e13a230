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
-- $3 the types of which something is said from now on, $4 whether they are hidden; nothing is said of others any more.
-- Whether anything changed.
with moment as materialized (select clock_timestamp() as now),
said as materialized (select * from unnest($3::text[], $4::boolean[]) as s (type, hidden)),
ended as (
  update mutes m set until = moment.now from moment
  where m.tenant = $1 and m.user_id = $2 and m.until is null
    and not exists (select from said s where s.type = m.type and s.hidden = m.hidden)
  returning 1
), begun as (
  insert into mutes (tenant, user_id, type, hidden, since)
  select $1, $2, s.type, s.hidden, moment.now from said s cross join moment
  where (select count(*) from ended) >= 0  -- one of a type is open at a time
    and not exists (
      select from mutes m
      where m.tenant = $1 and m.user_id = $2 and m.type = s.type and m.hidden = s.hidden and m.until is null)
  returning 1
)
select exists (select from ended) or exists (select from begun);

-- name: raise_version
-- Sockets of the reader read anew what they may be shown.
select raise_own_version();

-- name: lock_tenant
-- Changes of a tenant's document come one after the other.
select pg_advisory_xact_lock(hashtextextended('tenant_preferences ' || $1, 0));

-- name: of_tenant
select version, document, valid_from from tenant_preferences where tenant = $1 and valid_to is null;

-- name: put_of_tenant
-- $2 the new version, $3 its document.
with moment as materialized (
  select greatest(clock_timestamp(), max(valid_from)) as now from tenant_preferences where tenant = $1
), ended as (
  update tenant_preferences set valid_to = moment.now from moment where tenant = $1 and valid_to is null returning 1
)
insert into tenant_preferences (tenant, version, document, valid_from)
select $1, $2, $3, now from moment where (select count(*) from ended) >= 0
returning valid_from;
