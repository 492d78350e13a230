-- How far notifications have come, many at once.

-- name: notifications
select n.tenant, n.id, n.rooms <> '{}' as in_app,
  array(select jsonb_array_elements_text(coalesce(n.audience -> 'notes', '[]'))) as notes,
  exists (select from expansions e where e.tenant = n.tenant and e.notification = n.id and e.done_at is null) as expanding
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join notifications n on n.tenant = k.tenant and n.id = k.id

-- name: states
select d.tenant, d.notification, d.channel, d.state, d.reason,
  bool_or(d.attempts > 0 and d.next_attempt_at is not null) as waits
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join deliveries d on d.tenant = k.tenant and d.notification = k.id
group by d.tenant, d.notification, d.channel, d.state, d.reason
order by d.channel, d.state, d.reason
