-- name: find
-- An id is unique within a tenant: without one, every tenant is asked.
select n.tenant, n.id, n.event, n.type, n.name, n.severity, n.metadata, n.extras, n.audience, n.rooms, n.source,
  n.catalogue_version, n.decisions_planned, n.traceparent, n.accepted_at, n.planned_at, n.expires_at, n.collapse_key,
  n.cancelled_at
from tenants t join notifications n on n.tenant = t.tenant and n.id = $1
where $2::text is null or t.tenant = $2

-- name: entries
-- In the order of the notification's rooms.
select l.room, l.seq, l.at
from room_log l
where l.tenant = $1 and l.notification = $2 and l.kind = 0
order by array_position($3::text[], l.room), l.seq

-- name: expansions
select room, channels, as_of, cursor, planned, done_at
from expansions where tenant = $1 and notification = $2 order by room

-- name: totals
select channel, state, reason, count(*) as people
from deliveries where tenant = $1 and notification = $2
group by channel, state, reason order by channel, state, reason

-- name: deliveries
select id, user_id, channel, state, reason, attempts, next_attempt_at, lease_until, provider_message_id, updated_at
from deliveries
where tenant = $1 and notification = $2 and ($3::text is null or user_id = $3)
order by user_id, channel limit $4

-- name: attempts
select a.delivery, a.attempt, a.outcome, a.code, a.detail, a.provider, a.started_at, a.duration_ms
from delivery_attempts a
where a.tenant = $1 and a.delivery = any ($2::uuid[])
order by a.delivery, a.attempt

-- name: intervals
select room, joined_at, joined_seq, left_at, left_seq, role, source
from memberships where tenant = $1 and user_id = $2 and room = any ($3::text[]) order by room, joined_at

-- name: person
-- Addresses as they are now; preferences as they were then.
select u.email, u.phone, u.timezone, p.document, t.document as of_tenant,
  suppressed_channels(u.tenant, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = u.tenant and v.user_id = u.user_id) as devices
from users u
left join preferences p on p.tenant = u.tenant and p.user_id = u.user_id
  and p.valid_from <= $3 and (p.valid_to is null or p.valid_to > $3)
left join tenant_preferences t on t.tenant = u.tenant and t.valid_from <= $3 and (t.valid_to is null or t.valid_to > $3)
where u.tenant = $1 and u.user_id = $2

-- name: state
-- What the person did to it since.
select r.read, r.read_at, r.deleted_at, w.read_seq, w.delivered_seq, w.delivered_at
from (select $1::text as tenant, $2::text as user_id) k
left join receipts r on r.tenant = k.tenant and r.user_id = k.user_id and r.notification = $3
left join room_watermarks w on w.tenant = k.tenant and w.user_id = k.user_id and w.room = $4
