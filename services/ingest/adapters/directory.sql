-- The directory. Every statement takes arrays in the order of the keys, so that two writers lock in the same order.

-- name: upsert_users
insert into users as u (tenant, user_id, email, phone, display_name, locale, timezone, attributes)
select t, i, e, p, d, l, z, a::jsonb
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  as k (t, i, e, p, d, l, z, a)
order by t, i
on conflict (tenant, user_id) do update
  set email = excluded.email, phone = excluded.phone, display_name = excluded.display_name, locale = excluded.locale,
      timezone = excluded.timezone, attributes = excluded.attributes, updated_at = clock_timestamp()

-- name: locate_users
-- Of people who are there: the newest place is kept, whatever the order in which places come; null takes it away.
update users u set latitude = k.lat, longitude = k.lon, located_at = k.at, radius_meters = k.radius
from unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::timestamptz[], $6::float8[])
  as k (t, i, lat, lon, at, radius)
where u.tenant = k.t and u.user_id = k.i and (k.at is null or u.located_at is null or u.located_at <= k.at)

-- name: upsert_orgs
insert into orgs (tenant, org_id, name, attributes)
select t, i, n, a::jsonb from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k (t, i, n, a)
order by t, i
on conflict (tenant, org_id) do update
  set name = excluded.name, attributes = excluded.attributes, updated_at = clock_timestamp()

-- name: upsert_devices
insert into devices (tenant, user_id, device_id, platform, token, keys)
select t, u, d, p, o, k::jsonb
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as x (t, u, d, p, o, k)
order by t, u, d
on conflict (tenant, user_id, device_id) do update
  set platform = excluded.platform, token = excluded.token, keys = excluded.keys, updated_at = clock_timestamp()

-- name: delete_users
delete from users where (tenant, user_id) in (select t, i from unnest($1::text[], $2::text[]) as k (t, i))

-- name: delete_devices_of_users
delete from devices where (tenant, user_id) in (select t, i from unnest($1::text[], $2::text[]) as k (t, i))

-- name: forget_people
-- What else is theirs: preferences, marks in the inbox, presence.
select forget_people($1::text[], $2::text[])

-- name: delete_orgs
delete from orgs where (tenant, org_id) in (select t, i from unnest($1::text[], $2::text[]) as k (t, i))

-- name: delete_devices
delete from devices
where (tenant, user_id, device_id) in (select t, u, d from unnest($1::text[], $2::text[], $3::text[]) as k (t, u, d))

-- name: open_intervals
select m.tenant, m.user_id, m.room, m.role, m.source
from memberships m join unnest($1::text[], $2::text[]) as k (t, u) on m.tenant = k.t and m.user_id = k.u
where m.left_at is null

-- name: members
-- A page of a group's people: of organisations that are gone.
select tenant, user_id, room from memberships
where tenant = $1 and room = $2 and left_at is null order by user_id limit $3

-- name: lock_heads
-- All heads that closing and opening touch, at once and in order; each function by itself could meet another writer's.
select from lock_heads($1::text[], $2::text[])

-- name: open
select tenant, user_id, version from memberships_open($1::text[], $2::text[], $3::text[], $4::text[], 'directory')

-- name: close
select tenant, user_id, version from memberships_close($1::text[], $2::text[], $3::text[])

-- name: audit
insert into audit_trail (tenant, actor, action, subject, detail)
select t, $2, a, s, d::jsonb from unnest($1::text[], $3::text[], $4::text[], $5::text[]) as k (t, a, s, d)

-- name: user
select u.user_id as id, u.email, u.display_name, u.phone, u.locale, u.timezone, u.attributes::text as attributes,
  u.latitude, u.longitude, u.located_at, u.radius_meters
from users u where u.tenant = $1 and u.user_id = $2

-- name: rooms_of_user
select room, role from memberships where tenant = $1 and user_id = $2 and left_at is null order by room

-- name: org
select org_id as id, name, attributes::text as attributes from orgs where tenant = $1 and org_id = $2

-- name: membership
select role from memberships where tenant = $1 and user_id = $2 and room = $3 and left_at is null

-- name: devices_of_user
select user_id, device_id as id, platform, token, keys::text as keys from devices
where tenant = $1 and user_id = $2 order by device_id

-- name: device
select user_id, device_id as id, platform, token, keys::text as keys from devices
where tenant = $1 and user_id = $2 and device_id = $3
