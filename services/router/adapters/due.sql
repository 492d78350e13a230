-- name: look
-- Whether there is anything to do: looks at the ends of small indexes.
select
  exists (select from scheduled where state = 'waiting' and due_at <= now()) as scheduled,
  exists (select from broadcasts where done_at is null) as broadcasts,
  exists (select from digests where closed_at is null and closes_at <= now()) as digests,
  exists (select from cancellations where done_at is null and look_at <= now()) as cancellations

-- name: scheduled
-- Events whose time has come: at most $1 of a tenant and $2 in all, the tenants behind $3 in their order.
with recursive tenants (tenant) as (
  (select tenant from scheduled where state = 'waiting' and tenant > $3 order by tenant limit 1)
  union all
  select (select s.tenant from scheduled s where s.state = 'waiting' and s.tenant > t.tenant order by s.tenant limit 1)
  from tenants t where t.tenant is not null
)
select due.*
from tenants t
cross join lateral (
  select s.tenant, s.id, s.event, s.record, s.traceparent, s.key, s.sealed
  from scheduled s
  where s.state = 'waiting' and s.tenant = t.tenant and s.due_at <= now()
  order by s.due_at limit $1
  for update skip locked
) due
limit $2

-- name: handed_on
update scheduled s set state = 'handed-on', record = null, updated_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where s.tenant = k.tenant and s.id = k.id

-- name: digests
-- Digests that are due, in the same turns, with how many of their items are left and what is known of their person.
with recursive tenants (tenant) as (
  (select tenant from digests where closed_at is null and tenant > $3 order by tenant limit 1)
  union all
  select (select d.tenant from digests d where d.closed_at is null and d.tenant > t.tenant order by d.tenant limit 1)
  from tenants t where t.tenant is not null
), due as materialized (
  select d.*
  from tenants t
  cross join lateral (
    select * from digests x
    where x.closed_at is null and x.tenant = t.tenant and x.closes_at <= now()
    order by x.closes_at limit $1
    for update skip locked
  ) d
  limit $2
)
select d.tenant, d.id, d.user_id, d.channel, now() as now,
  (select count(*) from deliveries i where i.tenant = d.tenant and i.digest = d.id and i.state = 'digested') as left,
  u.user_id is not null as known, u.email, u.phone, u.timezone, p.document, t.document as of_tenant,
  suppressed_channels(d.tenant, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = d.tenant and v.user_id = d.user_id) as devices
from due d
left join users u on u.tenant = d.tenant and u.user_id = d.user_id
left join preferences p on p.tenant = d.tenant and p.user_id = d.user_id and p.valid_to is null
left join tenant_preferences t on t.tenant = d.tenant and t.valid_to is null

-- name: close
-- What became of digests; of one that is to be sent, or not, the delivery that says so.
with closed as (
  update digests d
  set closed_at = clock_timestamp(), outcome = case when k.state is null then 'empty' else k.state end
  from unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) as k (tenant, id, state, reason)
  where d.tenant = k.tenant and d.id = k.id
  returning d.tenant, d.id, d.user_id, d.channel, d.urgency, k.state, k.reason
)
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, urgency, digest)
select tenant, id, id, user_id, channel, state, reason,
  case state when 'planned' then clock_timestamp() + $5::interval end, urgency, id
from closed where state is not null

-- name: postpone
update digests d set closes_at = k.closes_at
from unnest($1::text[], $2::uuid[], $3::timestamptz[]) as k (tenant, id, closes_at)
where d.tenant = k.tenant and d.id = k.id

-- name: cancellations
select tenant, id, requested_by
from cancellations where done_at is null and look_at <= now() order by look_at limit $1
for update skip locked

-- name: end_waiting
-- The parts of an event that were not told yet.
update scheduled s set state = 'cancelled', record = null, updated_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where s.tenant = k.tenant and s.event_id = k.id and s.state = 'waiting'

-- name: to_cancel
-- For each request the notifications that the event became (it bears the event's id, unless it was told in parts), and
-- whether they are there; a request without any row has found nothing yet.
select k.tenant, k.id as request, coalesce(s.id, k.id) as id, n.rooms, n.cancelled_at is not null as cancelled,
  s.state as part
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
left join scheduled s on s.tenant = k.tenant and s.event_id = k.id
left join notifications n on n.tenant = k.tenant and n.id = coalesce(s.id, k.id)
where s.id is not null or n.id is not null

-- name: done
update cancellations c set done_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where c.tenant = k.tenant and c.id = k.id

-- name: later
-- What was not found may still come: it is looked for again, ever more rarely.
update cancellations c
set look_at = clock_timestamp() + least(interval '1 minute', greatest(interval '1 second', now() - c.requested_at))
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where c.tenant = k.tenant and c.id = k.id

-- name: tidy_throttles
delete from throttles where (tenant, user_id, channel, type) in (
  select tenant, user_id, channel, type from throttles where idle_after < now() order by idle_after limit $1
  for update skip locked)

-- name: tidy_collapse_keys
delete from collapse_keys where (tenant, room, key) in (
  select tenant, room, key from collapse_keys where at < now() - $2::interval order by at limit $1
  for update skip locked)

-- name: tidy_cancellations
delete from cancellations where (tenant, id) in (
  select tenant, id from cancellations where requested_at < now() - $2::interval order by requested_at limit $1
  for update skip locked)
