-- name: insert_notifications
-- One row a notification; the rows come in the order of their keys, so that two routers with the same events wait for
-- each other instead of deadlocking. Only what is returned was inserted here: the rest was written by another. What was
-- cancelled before it came is written without rooms and decisions.
insert into notifications (
  tenant, id, event, type, name, title, message, severity, priority, metadata, data, extras, audience, rooms,
  catalogue_version, decisions_planned, traceparent, source, accepted_at, expires_at, collapse_key, sealed, planned_at,
  cancelled_at)
select n.tenant, n.id, event, type, name, title, message, severity, priority, metadata, data, extras, audience,
  case when c.id is null then string_to_array(rooms, ' ') else '{}' end, catalogue_version,
  case when c.id is null then decisions_planned else 0 end, traceparent, source, accepted_at, expires_at, collapse_key,
  sealed, coalesce($23::timestamptz, now()), c.requested_at
from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::jsonb[], $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::text[], $15::text[], $16::int[], $17::text[],
  $18::jsonb[], $19::timestamptz[], $20::timestamptz[], $21::text[], $22::jsonb[])
  as n (tenant, id, event, type, name, title, message, severity, priority, metadata, data, extras, audience, rooms,
        catalogue_version, decisions_planned, traceparent, source, accepted_at, expires_at, collapse_key, sealed)
left join cancellations c on c.tenant = n.tenant and c.id = n.id
on conflict (tenant, id) do nothing
returning tenant, id, cancelled_at is not null as cancelled

-- name: insert_expansions
-- Groups to be decided member by member, as of the time that the notification was planned.
insert into expansions (tenant, notification, room, channels, digest_key, urgency, as_of)
select tenant, notification, room, string_to_array(channels, ' '), digest_key, urgency, coalesce($7::timestamptz, now())
from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[])
  as e (tenant, notification, room, channels, digest_key, urgency)

-- name: schedule
-- Events that wait for their time, each in its parts; all of an event's parts are written together or not at all.
insert into scheduled (tenant, id, event_id, event, source_topic, due_at, record, traceparent, key, sealed, state)
select s.tenant, s.id, s.event_id, s.event, s.source_topic, s.due_at, case when c.id is null then s.record end,
  s.traceparent, s.key, s.sealed, case when c.id is null then 'waiting' else 'cancelled' end
from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[], $8::text[],
  $9::bytea[], $10::boolean[])
  as s (tenant, id, event_id, event, source_topic, due_at, record, traceparent, key, sealed)
left join cancellations c on c.tenant = s.tenant and c.id = s.event_id
on conflict (tenant, id) do nothing
returning tenant, event_id

-- name: broadcast
-- Events for all tenants, before any of them is told. One that was cancelled before it came is told nobody.
insert into broadcasts
  (tenant, id, event, source_topic, record, traceparent, key, sealed, reached, cancelled_by, done_at)
select b.tenant, b.id, b.event, b.source_topic, case when c.id is null then b.record end, b.traceparent, b.key,
  b.sealed, case when c.id is not null then '' end, c.requested_by, case when c.id is not null then clock_timestamp() end
from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bytea[],
  $8::boolean[]) as b (tenant, id, event, source_topic, record, traceparent, key, sealed)
left join cancellations c on c.tenant = b.tenant and c.id = b.id
on conflict (tenant, id) do nothing
returning tenant, id

-- name: append
-- Appends entries to room logs; the last statement of the transaction, so that a hot head is locked for the shortest
-- time. $1–$3 are the rooms in the order of their keys, each with how many entries it gets. $4–$9 are the entries in
-- the order of their arrival; `left_after` is how many entries of the same room come behind. A head is read again
-- under its lock, so seq is gap-free and `at` never runs backwards. No `on conflict` on the log: it would burn a seq.
-- A control entry (`kind` 1) withdraws its notification.
with head as (
  insert into room_heads as h (tenant, room, seq)
  select tenant, room, added from unnest($1::text[], $2::text[], $3::int[]) as w (tenant, room, added)
  on conflict (tenant, room) do update set seq = h.seq + excluded.seq, at = greatest(h.at, clock_timestamp())
  returning h.tenant, h.room, h.epoch, h.seq, h.at
), placed as (
  select e.n, e.tenant, e.room, h.epoch, h.seq - e.left_after as seq, h.at, e.kind, e.type, e.prior, e.notification,
    e.expires_at
  from unnest($4::text[], $5::text[], $6::int[], $7::uuid[], $8::text[], $9::text[], $10::smallint[], $11::timestamptz[])
    with ordinality as e (tenant, room, left_after, notification, type, prior, kind, expires_at, n)
  join head h on h.tenant = e.tenant and h.room = e.room
), logged as (
  insert into room_log (tenant, room, seq, kind, type, prior, at, notification, expires_at)
  select tenant, room, seq, kind, type, string_to_array(prior, ' '), at, notification, expires_at from placed
)
select epoch, seq from placed order by n

-- name: read_notifications
-- Notifications that another transaction has written, as stored.
select n.tenant, n.id, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority, n.metadata, n.data,
  n.extras, n.audience, n.rooms, n.catalogue_version, n.decisions_planned, n.traceparent, n.source, n.accepted_at,
  n.expires_at, n.collapse_key, n.sealed
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join notifications n on n.tenant = k.tenant and n.id = k.id and n.cancelled_at is null

-- name: read_places
-- Where they stand in their rooms.
select l.tenant, l.notification, l.room, h.epoch, l.seq
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join room_log l on l.tenant = k.tenant and l.notification = k.id and l.kind = 0
join room_heads h on h.tenant = l.tenant and h.room = l.room

-- name: read_deliveries
-- Their deliveries that nobody has taken up.
select d.tenant, d.id, d.channel
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join deliveries d on d.tenant = k.tenant and d.notification = k.id and d.state = 'planned' and d.attempts = 0

-- name: interest
-- The slots in which somebody listens to a room: registered under the slot's lease in force. Of a personal room also
-- what its person wants, where that may be not to be disturbed.
select i.tenant, i.room, i.slot, q.document, u.timezone, t.document as of_tenant
from unnest($1::text[], $2::text[]) as k (tenant, room)
join room_interest i on i.tenant = k.tenant and i.room = k.room
join gateway_slots s on s.slot = i.slot and s.epoch = i.slot_epoch and s.lease_until > clock_timestamp()
left join preferences q on q.tenant = i.tenant and 'user:' || q.user_id = i.room and q.valid_to is null
  and (q.document ? 'quietHours' or q.document ? 'snoozedUntil')
left join users u on u.tenant = q.tenant and u.user_id = q.user_id
left join tenant_preferences t on t.tenant = i.tenant and t.valid_to is null
