-- name: take_turn
-- One process at a time: the lock ends when it is given back, or with its connection.
select pg_try_advisory_lock(hashtext('carillon.retention'), 0)

-- name: end_turn
select pg_advisory_unlock(hashtext('carillon.retention'), 0)

-- name: ages
select t.tenant, (t.settings -> $1)::text as own,
  (select min(n.planned_at) from notifications n where n.tenant = t.tenant) as oldest
from tenants t order by t.tenant

-- name: notifications
select notifications, entries, deliveries from purge_notifications($1, $2, $3)

-- name: aged
select purge_aged($1, $2, $3, $4)
