-- How far a notification has come.

-- name: notification
select event, type, name, severity, accepted_at, planned_at, decisions_planned as decisions
from notifications where tenant = $1 and id = $2

-- name: rooms
select room, seq, at from room_log where tenant = $1 and notification = $2 order by room

-- name: expansions
select room, channels, planned, done_at is not null as done
from expansions where tenant = $1 and notification = $2 order by room

-- name: counts
select channel, state, count(*) as count
from deliveries where tenant = $1 and notification = $2 group by channel, state order by channel, state

-- name: deliveries
select id, user_id, channel, state, reason, attempts, next_attempt_at, updated_at
from deliveries where tenant = $1 and notification = $2 order by user_id, channel limit 100

-- name: reserved
select from idempotency_keys where tenant = $1 and id = $2
