-- What providers say of deliveries.

-- name: find
-- Locked, so that of two words the second sees what the first did.
select d.tenant, d.id, d.channel, d.state, u.email, u.phone
from deliveries d
left join users u on u.tenant = d.tenant and u.user_id = d.user_id
where d.tenant = $1 and d.id = $2
for update of d

-- name: find_by_message
select d.tenant, d.id, d.channel, d.state, u.email, u.phone
from deliveries d
left join users u on u.tenant = d.tenant and u.user_id = d.user_id
where d.provider_message_id = $1 and d.provider = $2
for update of d

-- name: change
-- A call that still runs keeps its claim: its own outcome adds the attempt and leaves the state. A failure is due at
-- once, because its dead letter is to be written.
update deliveries
set state = $3, reason = $4, next_attempt_at = case when $5 then clock_timestamp() end, updated_at = clock_timestamp()
where tenant = $1 and id = $2
