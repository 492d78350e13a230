-- Requests to cancel: written here, carried out by the router.

-- name: request
insert into cancellations (tenant, id, requested_by) values ($1, $2, $3) on conflict (tenant, id) do nothing
returning requested_at

-- name: found
-- Whether there is anything that the router can carry it out on, or has.
select c.requested_at, c.done_at,
  exists (select from notifications n where n.tenant = c.tenant and n.id = c.id)
    or exists (select from scheduled s where s.tenant = c.tenant and s.event_id = c.id)
    or exists (select from broadcasts b where b.tenant = c.tenant and b.id = c.id) as known
from cancellations c where c.tenant = $1 and c.id = $2

-- name: channels
-- How far it had got, over all the notifications that it became.
with mine as (
  select $2::uuid as id union select id from scheduled where tenant = $1 and event_id = $2
)
select d.channel, d.state, count(*) as count
from mine join deliveries d on d.tenant = $1 and d.notification = mine.id
group by d.channel, d.state
union all
select 'in-app',
  case when count(distinct l.room) filter (where l.kind = 1) = count(distinct l.room) then 'cancelled' else 'delivered' end,
  count(distinct l.room)
from mine join room_log l on l.tenant = $1 and l.notification = mine.id
having count(*) > 0
union all
select 'scheduled', s.state, count(*) from scheduled s where s.tenant = $1 and s.event_id = $2 group by s.state
order by 1, 2
