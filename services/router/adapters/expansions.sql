-- name: next
-- The most urgent open expansion of the first tenant behind $1 that nobody else is working on, the oldest of those.
select e.tenant, e.notification, e.room, e.channels, e.as_of, e.cursor, e.digest_key, e.urgency, n.event, n.type, n.name,
  n.catalogue_version, n.severity, n.expires_at,
  jsonb_typeof(n.extras -> 'channels') is not distinct from 'array' as named, n.traceparent,
  array(select jsonb_array_elements_text(n.extras -> 'excluded')) as excluded
from expansions e
join notifications n on n.tenant = e.tenant and n.id = e.notification
where e.done_at is null and e.tenant > $1
order by e.tenant, e.urgency, e.created_at
limit 1
for update of e skip locked

-- name: members
-- The next members of the group as of the time of planning, without those who are excluded, with their address and their preferences of that time.
select m.user_id, u.user_id is not null as known, u.email, u.phone, u.timezone, p.document, t.document as of_tenant,
  suppressed_channels($1, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = $1 and v.user_id = m.user_id) as devices
from (
  select distinct user_id from memberships
  where tenant = $1 and room = $2 and user_id > $3 and joined_at <= $4 and (left_at is null or left_at > $4)
    and user_id <> all ($6::text[])
  order by user_id limit $5
) m
left join users u on u.tenant = $1 and u.user_id = m.user_id
left join preferences p on p.tenant = $1 and p.user_id = m.user_id
  and p.valid_from <= $4 and (p.valid_to is null or p.valid_to > $4)
left join tenant_preferences t on t.tenant = $1
  and t.valid_from <= $4 and (t.valid_to is null or t.valid_to > $4)
order by m.user_id

-- name: advance
-- Behind the last member of the page, with what it added; done when the page was not full.
update expansions
set cursor = $4, planned = planned + $5, done_at = case when $6 then clock_timestamp() end
where tenant = $1 and notification = $2 and room = $3
