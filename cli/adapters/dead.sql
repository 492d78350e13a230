-- name: replayed
-- Which of these dead letters have been replayed before.
select topic, partition, record_offset
from dead_letter_replays
join unnest($2::text[], $3::int[], $4::bigint[]) as k (topic, partition, record_offset)
  using (topic, partition, record_offset)
where cluster = $1

-- name: note
insert into dead_letter_replays (cluster, topic, partition, record_offset) values ($1, $2, $3, $4)
on conflict (cluster, topic, partition, record_offset) do update set replayed_at = clock_timestamp()

-- name: plan_again
-- Only what has failed: whatever else became of it meanwhile is left alone.
update deliveries
set state = 'planned', reason = 'replayed', attempts = 0, next_attempt_at = clock_timestamp(),
  updated_at = clock_timestamp()
where tenant = $1 and id = $2 and state = 'failed'
returning id

-- name: audit
insert into audit_trail (tenant, actor, action, subject, detail)
values ($1, 'operator:cli', 'dead-letter.replayed', $2, '{}')

-- name: audit_events
-- Events that were sent again, once a batch.
insert into audit_trail (tenant, actor, action, subject, detail)
values ($1, 'operator:cli', 'events.replayed', $2, $3::jsonb)

-- name: is_failed
select id from deliveries where tenant = $1 and id = $2 and state = 'failed'

-- name: known
-- Which of these events are notifications, or wait for their time.
select k.tenant, k.id
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where exists (select from notifications n where n.tenant = k.tenant and n.id = k.id)
  or exists (select from scheduled s where s.tenant = k.tenant and s.event_id = k.id)
