-- name: next
-- The oldest open expansion of the first tenant behind $1 that nobody else is working on.
select e.tenant, e.notification, e.room, e.channels, e.as_of, e.cursor, n.event, n.type, n.name,
  jsonb_typeof(n.extras -> 'channels') is not distinct from 'array' as named, n.traceparent
from expansions e
join notifications n on n.tenant = e.tenant and n.id = e.notification
where e.done_at is null and e.tenant > $1
order by e.tenant, e.created_at
limit 1
for update of e skip locked

-- name: members
-- The next members of the group as of the time of planning, with their address and their preferences of that time.
select m.user_id, u.user_id is not null as known, u.email, u.phone, p.document,
  suppressed_channels($1, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = $1 and v.user_id = m.user_id) as devices
from (
  select distinct user_id from memberships
  where tenant = $1 and room = $2 and user_id > $3 and joined_at <= $4 and (left_at is null or left_at > $4)
  order by user_id limit $5
) m
left join users u on u.tenant = $1 and u.user_id = m.user_id
left join preferences p on p.tenant = $1 and p.user_id = m.user_id
  and p.valid_from <= $4 and (p.valid_to is null or p.valid_to > $4)
order by m.user_id

-- name: insert_deliveries
-- As for people who are addressed in person; whoever was, or is in a second group, has been decided already.
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, traceparent)
select $1, id, $2, user_id, channel, state, reason,
  case when state = 'planned' then clock_timestamp() + $9::interval end, $8
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) as d (id, user_id, channel, state, reason)
on conflict (tenant, id) do nothing
returning id, channel, state

-- name: advance
-- Behind the last member of the page, with what it added; done when the page was not full.
update expansions
set cursor = $4, planned = planned + $5, done_at = case when $6 then clock_timestamp() end
where tenant = $1 and notification = $2 and room = $3
