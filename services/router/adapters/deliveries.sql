-- name: insert
-- What was decided for each person and channel. Kafka brings delivery the planned ones at once; after the grace its own
-- scan finds what Kafka did not bring. What waits is due when it is to be sent. Whoever was decided already, in person or
-- in another group, is left as they are.
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, expires_at, urgency,
  only_offline, digest, traceparent)
select tenant, id, notification, user_id, channel, state, reason,
  case state when 'planned' then clock_timestamp() + $14::interval when 'deferred' then due end, expires_at, urgency,
  only_offline, digest, traceparent
from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
  $9::timestamptz[], $10::smallint[], $11::bool[], $12::uuid[], $13::text[])
  as d (tenant, id, notification, user_id, channel, state, reason, due, expires_at, urgency, only_offline, digest,
        traceparent)
on conflict (tenant, id) do nothing
returning tenant, id, channel, state

-- name: lock_notification
-- The pages of one notification's groups reserve one after the other: somebody may be in two of them.
select from notifications where tenant = $1 and id = $2 for no key update

-- name: decided
-- Which of these deliveries there are already.
select id from unnest($2::uuid[]) as k (id) where exists (select from deliveries d where d.tenant = $1 and d.id = k.id)

-- name: throttles
-- Makes and locks the rows of these people, channels and types, in the order of their keys.
insert into throttles as t (tenant, user_id, channel, type)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
on conflict (tenant, user_id, channel, type) do update set taken = t.taken
returning t.tenant, t.user_id, t.channel, t.type, t.taken, clock_timestamp() as now

-- name: take
update throttles t set taken = array(select jsonb_array_elements_text(k.taken)::timestamptz), idle_after = k.idle_after
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[])
  as k (tenant, user_id, channel, type, taken, idle_after)
where t.tenant = k.tenant and t.user_id = k.user_id and t.channel = k.channel and t.type = k.type

-- name: digests
-- Makes and locks the digests that collect for these people, channels and keys, in the order of their keys.
insert into digests as d (tenant, user_id, channel, key, reason, max_items, closes_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[])
on conflict (tenant, user_id, channel, key) where closed_at is null and items < max_items do update set items = d.items
returning d.tenant, d.user_id, d.channel, d.key, d.reason, d.id, d.items, d.max_items, d.closes_at, d.urgency

-- name: collect
-- What stands in the digests now; a full one is due at once, and what came behind it is in another.
insert into digests as d (tenant, id, user_id, channel, key, reason, items, max_items, closes_at, urgency)
select tenant, id, user_id, channel, key, reason, items, max_items,
  case when items >= max_items then clock_timestamp() else closes_at end, urgency
from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[],
  $9::timestamptz[], $10::smallint[])
  as k (tenant, id, user_id, channel, key, reason, items, max_items, closes_at, urgency)
on conflict (tenant, id) do update
set items = excluded.items, closes_at = excluded.closes_at, urgency = excluded.urgency
