-- name: admins
-- The members of organisations who have one of the roles now; one more than the limit shows that there are too many.
select k.tenant, k.room, m.user_id, statement_timestamp() as as_of
from unnest($1::text[], $2::text[]) as k (tenant, room)
cross join lateral (
  select user_id from memberships m
  where m.tenant = k.tenant and m.room = k.room and m.left_at is null and m.role = any($3::text[])
  limit $4
) m

-- name: people
-- Addresses and the preferences in force, the person's and the tenant's.
select k.tenant, k.user_id, u.user_id is not null as known, u.email, u.phone, u.timezone, p.document,
  t.document as of_tenant,
  suppressed_channels(k.tenant, u.email, u.phone) as suppressed,
  exists (select from devices v where v.tenant = k.tenant and v.user_id = k.user_id) as devices, statement_timestamp() as as_of
from unnest($1::text[], $2::text[]) as k (tenant, user_id)
left join users u on u.tenant = k.tenant and u.user_id = k.user_id
left join preferences p on p.tenant = k.tenant and p.user_id = k.user_id and p.valid_to is null
left join tenant_preferences t on t.tenant = k.tenant and t.valid_to is null

-- name: endpoints
-- Where tenants' notifications may be posted to, without addresses and secrets, which are delivery's own.
select tenant, endpoint_id, channel, events, types
from webhook_endpoints
where tenant = any($1::text[]) and disabled_at is null
order by tenant, endpoint_id
