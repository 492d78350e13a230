-- name: admins
-- The members of organisations who have one of the roles now; one more than the limit shows that there are too many.
select k.tenant, k.room, m.user_id, statement_timestamp() as as_of
from unnest($1::text[], $2::text[]) as k (tenant, room)
cross join lateral (
  select user_id from memberships m
  where m.tenant = k.tenant and m.room = k.room and m.left_at is null and m.role = any($3::text[])
  limit $4
) m

-- name: people
-- Addresses and the preferences in force, the person's and the tenant's.
select k.tenant, k.user_id, u.user_id is not null as known, u.email, u.phone, u.timezone, p.document,
  t.document as of_tenant,
  suppressed_channels(k.tenant, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = k.tenant and v.user_id = k.user_id) as devices, statement_timestamp() as as_of
from unnest($1::text[], $2::text[]) as k (tenant, user_id)
left join users u on u.tenant = k.tenant and u.user_id = k.user_id
left join preferences p on p.tenant = k.tenant and p.user_id = k.user_id and p.valid_to is null
left join tenant_preferences t on t.tenant = k.tenant and t.valid_to is null

-- name: nearby
-- Who has a role and is near a point, the nearest first; one more than the limit shows that there are too many. A row of
-- input is a search ($1) in a stretch of longitude: two where it crosses the antimeridian. Strips are read from the
-- point outwards, and no more than $14 people looked at of each.
select s.n, x.user_id, statement_timestamp() as as_of
from (
  select n, t, room, lat, lon, radius, otherwise, since from unnest(
    $1::int[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[])
    as k (n, t, room, lat, lon, radius, otherwise, since)
) s
cross join lateral (
  select c.user_id, c.distance
  from (
    select u.user_id, coalesce(s.radius, u.radius_meters, s.otherwise) as radius,
      2 * 6371008.8 * asin(least(1, sqrt(
        sin(radians(u.latitude - s.lat) / 2) ^ 2
        + cos(radians(s.lat)) * cos(radians(u.latitude)) * sin(radians(u.longitude - s.lon) / 2) ^ 2))) as distance
    from (
      select b, w.west, w.east
      from unnest($9::int[], $10::int[], $11::int[], $12::float8[], $13::float8[]) as w (n, low, high, west, east)
      cross join lateral generate_series(w.low, w.high) b
      where w.n = s.n
      order by abs(b - floor(s.lat * 10))
    ) o
    cross join lateral (
      select u.user_id, u.latitude, u.longitude, u.radius_meters
      from users u
      where u.tenant = s.t and u.latitude_strip = o.b and u.latitude is not null
        and u.longitude between o.west and o.east and u.located_at >= s.since
      offset 0  -- places first: a role may have a million members
    ) u
    where exists (select from memberships m
                  where m.tenant = s.t and m.user_id = u.user_id and m.room = s.room and m.left_at is null)
    limit $14
  ) c
  where c.distance <= c.radius
  group by c.user_id, c.distance
  order by c.distance, c.user_id
  limit $15
) x

-- name: endpoints
-- Where tenants' notifications may be posted to, without addresses and secrets, which are delivery's own.
select tenant, endpoint_id, channel, events, types
from webhook_endpoints
where tenant = any($1::text[]) and disabled_at is null
order by tenant, endpoint_id
