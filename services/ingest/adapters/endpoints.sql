-- A tenant's endpoints. Secrets leave only when they are made.

-- name: list
select endpoint_id, channel, url, events, types, description, cardinality(secrets) as secrets, created_at, updated_at,
  disabled_at, disabled_reason
from webhook_endpoints where tenant = $1 order by endpoint_id

-- name: find
select endpoint_id, channel, url, events, types, description, cardinality(secrets) as secrets, created_at, updated_at,
  disabled_at, disabled_reason
from webhook_endpoints where tenant = $1 and endpoint_id = $2

-- name: insert
insert into webhook_endpoints (tenant, endpoint_id, channel, url, events, types, description, secrets)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant, endpoint_id) do nothing
returning endpoint_id

-- name: change
-- What is null stays as it is; one that is enabled, or leads elsewhere now, is posted to again.
update webhook_endpoints
set url = coalesce($3, url), events = coalesce($4, events), types = coalesce($5, types),
    description = coalesce($6, description), updated_at = clock_timestamp(),
    disabled_at = case when $7 then coalesce(disabled_at, clock_timestamp()) when not $7 or $3 is not null then null
                       else disabled_at end,
    disabled_reason = case when $7 then coalesce(disabled_reason, 'disabled') when not $7 or $3 is not null then null
                           else disabled_reason end
where tenant = $1 and endpoint_id = $2
returning endpoint_id

-- name: remove
delete from webhook_endpoints where tenant = $1 and endpoint_id = $2 returning endpoint_id

-- name: lock_secrets
select channel, secrets from webhook_endpoints where tenant = $1 and endpoint_id = $2 for update

-- name: set_secrets
update webhook_endpoints set secrets = $3, updated_at = clock_timestamp() where tenant = $1 and endpoint_id = $2

-- name: ping
-- A delivery without a notification, which the due-scan finds at once: it goes the way of all others.
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, next_attempt_at, expires_at)
select tenant, $3, $3, $4, channel, 'planned', 'ping', clock_timestamp(), clock_timestamp() + interval '1 minute'
from webhook_endpoints where tenant = $1 and endpoint_id = $2 and disabled_at is null
returning id

-- name: pinged
select d.state, d.reason, a.code, a.duration_ms
from deliveries d
left join lateral (
  select code, duration_ms from delivery_attempts where tenant = d.tenant and delivery = d.id order by attempt desc limit 1
) a on true
where d.tenant = $1 and d.id = $2
