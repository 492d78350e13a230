-- What happened to a notification, and to each of its deliveries.

-- name: notification
select accepted_at, planned_at, rooms, audience, decisions_planned from notifications where tenant = $1 and id = $2

-- name: deliveries
-- In the order of their ids, behind the one that the last page ended with.
select id, user_id, channel, state, reason, attempts, created_at, updated_at, next_attempt_at, expires_at, provider,
  provider_message_id
from deliveries
where tenant = $1 and notification = $2 and ($3::uuid is null or id > $3) and ($4::text is null or user_id = $4)
order by id limit $5

-- name: attempts
select delivery, attempt, outcome, reason, code, provider, started_at, duration_ms
from delivery_attempts where tenant = $1 and delivery = any ($2::uuid[]) order by delivery, attempt
