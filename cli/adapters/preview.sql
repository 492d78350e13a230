-- The stored side of a preview; every statement reads, none writes.

-- name: notifications
select id, tenant, event, type, name, title, message, severity, priority, metadata, data, extras, audience, rooms,
  catalogue_version, accepted_at, planned_at, expires_at, collapse_key
from notifications
where planned_at >= $1 and ($2::timestamptz is null or planned_at < $2) and ($3::text is null or tenant = $3)
  and cancelled_at is null

-- name: admins
-- Who had one of the roles in the organisation at that time.
select distinct user_id from memberships
where tenant = $1 and room = $2 and role = any ($3::text[]) and joined_at <= $4 and (left_at is null or left_at > $4)
order by user_id limit $5

-- name: people
-- Addresses as they are now; preferences and suppressions as they were at $3.
select k.user_id, u.user_id is not null as known, u.email, u.phone, u.timezone, p.document, t.document as of_tenant,
  array(
    select s.channel from suppressions s
    where s.tenant = $1 and s.created_at <= $3
      and (s.channel = 'email' and s.hash = address_hash($1, 'email', u.email)
           or s.channel = 'sms' and s.hash = address_hash($1, 'sms', u.phone))) as suppressed,
  exists (select from devices v where v.tenant = $1 and v.user_id = k.user_id) as devices
from unnest($2::text[]) as k (user_id)
left join users u on u.tenant = $1 and u.user_id = k.user_id and u.created_at <= $3
left join preferences p on p.tenant = $1 and p.user_id = k.user_id
  and p.valid_from <= $3 and (p.valid_to is null or p.valid_to > $3)
left join tenant_preferences t on t.tenant = $1 and t.valid_from <= $3 and (t.valid_to is null or t.valid_to > $3)

-- name: members
-- A page of a group at that time, without some.
select distinct user_id from memberships
where tenant = $1 and room = $2 and user_id > $3 and joined_at <= $4 and (left_at is null or left_at > $4)
  and user_id <> all ($5::text[])
order by user_id limit $6

-- name: endpoints
select endpoint_id, channel, events, types from webhook_endpoints
where tenant = $1 and disabled_at is null order by endpoint_id
