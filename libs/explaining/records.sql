-- Everything that is recorded about one notification. All statements but `where_known` are about one tenant.

-- name: where_known
-- An id is unique within a tenant: the tenants that have it.
select n.tenant from tenants t join notifications n on n.tenant = t.tenant and n.id = $1
union
select s.tenant from tenants t join scheduled s on s.tenant = t.tenant and s.event_id = $1
order by tenant

-- name: notification
select n.id, n.tenant, n.event, n.type, n.name, n.severity, n.priority, n.accepted_at, n.planned_at, n.expires_at,
  n.cancelled_at, n.collapse_key, n.catalogue_version, n.decisions_planned, n.traceparent, n.source, n.audience, n.rooms,
  n.extras -> 'channels' as channels, n.extras -> 'excluded' as excluded, n.expires_at <= now() as over
from notifications n
where n.tenant = $1 and n.id = $2

-- name: scheduled
-- By the id of the event or of the notification that it becomes; of an event in parts the first that is due.
select id, due_at, state from scheduled where tenant = $1 and (id = $2 or event_id = $2)
order by id <> $2, due_at limit 1

-- name: entries
-- In the order of the notification's rooms.
select l.room, l.seq, l.at, case l.kind when 0 then 'entry' else 'control' end as kind,
  case when l.kind = 1 then l.type end as because
from room_log l
where l.tenant = $1 and l.notification = $2
order by l.kind, array_position($3::text[], l.room), l.seq

-- name: expansions
select room, channels, as_of, cursor, planned as decided, done_at
from expansions where tenant = $1 and notification = $2 order by room

-- name: totals
select channel, state, reason, count(*) as people
from deliveries where tenant = $1 and notification = $2
group by channel, state, reason order by channel, state, reason

-- name: deliveries
select d.id, d.user_id, d.channel, d.state, d.reason, d.attempts, d.only_offline, d.created_at, d.updated_at,
  d.next_attempt_at, d.lease_until, d.provider_message_id, g.id as digest_id, g.key as digest_key,
  g.reason as digest_reason, g.closes_at, g.closed_at, g.outcome
from deliveries d
left join digests g on g.tenant = d.tenant and g.id = d.digest
where d.tenant = $1 and d.notification = $2 and ($3::text is null or d.user_id = $3)
order by d.user_id, d.channel limit $4

-- name: attempts
select a.delivery, a.attempt, a.outcome, a.code, a.detail, a.provider, a.started_at, a.duration_ms
from delivery_attempts a
where a.tenant = $1 and a.delivery = any ($2::uuid[])
order by a.delivery, a.attempt

-- name: intervals
select room, joined_at, joined_seq, left_at, left_seq, role, source
from memberships where tenant = $1 and user_id = $2 and room = any ($3::text[]) order by room, joined_at

-- name: person
-- Addresses as they are now; preferences as they were at $4, and of the suppressions those that there were then.
select u.user_id is not null as known, u.email, u.phone, u.timezone, p.document, p.version,
  t.document as of_tenant, t.version as of_tenant_version,
  array(
    select s.channel from suppressions s
    where s.tenant = k.tenant and s.created_at <= $4
      and (s.channel = 'email' and s.hash = address_hash(k.tenant, 'email', u.email)
           or s.channel = 'sms' and s.hash = address_hash(k.tenant, 'sms', u.phone))) as suppressed,
  exists (select from devices v where v.tenant = k.tenant and v.user_id = k.user_id) as devices
from (select $1::text as tenant, $2::uuid as notification, $3::text as user_id) k
left join users u on u.tenant = k.tenant and u.user_id = k.user_id and u.created_at <= $4
left join preferences p on p.tenant = k.tenant and p.user_id = k.user_id
  and p.valid_from <= $4 and (p.valid_to is null or p.valid_to > $4)
left join tenant_preferences t on t.tenant = k.tenant and t.valid_from <= $4 and (t.valid_to is null or t.valid_to > $4)

-- name: muted
-- Since when the type had been hidden from the person as the entry came, and whether they muted it themselves.
select s.since, exists (
    select from mutes m
    where m.tenant = $1 and m.user_id = $2 and m.type = $3 and m.hidden
      and m.since <= $4 and (m.until is null or m.until > $4)) as own
from muted_spans($1, $2) s
where s.type = $3 and s.since <= $4 and (s.until is null or s.until > $4)

-- name: state
-- What the person did to it since.
select r.read, r.read_at, r.deleted_at, r.archived_at,
  case when r.snoozed_until > now() then r.snoozed_until end as snoozed_at,
  w.read_seq, w.cleared_seq, w.delivered_seq
from (select $1::text as tenant, $2::uuid as notification, $3::text as user_id) k
left join receipts r on r.tenant = k.tenant and r.user_id = k.user_id and r.notification = k.notification
left join room_watermarks w on w.tenant = k.tenant and w.user_id = k.user_id and w.room = $4
