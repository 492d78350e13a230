-- The lifecycle's outbox: filled by triggers, emptied by whoever holds the lock.

-- name: lock
-- One relay at a time, so that order is kept: the lock ends with the transaction, or with its connection.
select pg_try_advisory_xact_lock(hashtext('carillon.lifecycle'), hashtext(current_database()))

-- name: next
select tenant, seq, notification, delivery, channel, user_id, state, reason, at
from lifecycle_outbox order by seq limit $1

-- name: remove
delete from lifecycle_outbox o
using unnest($1::text[], $2::bigint[]) as k (tenant, seq)
where o.tenant = k.tenant and o.seq = k.seq
