-- The lifecycle's outbox: filled by triggers, emptied by whoever holds the lock.

-- name: lock
-- One relay at a time, so that order is kept: the lock ends with the transaction, or with its connection.
select pg_try_advisory_xact_lock(hashtext('carillon.lifecycle'), hashtext(current_database()))

-- name: next
-- Whole rows, each of one statement: as many as have about $1 changes.
with oldest as (
  select tenant, seq, at, changes, sum(size) over (order by seq) - size as before
  from (select * from lifecycle_outbox order by seq limit $1) o
)
select o.tenant, o.seq as first, o.at, c.*
from oldest o cross join lateral unnest(o.changes) c
where o.before < $1
order by o.seq, c.seq

-- name: remove
delete from lifecycle_outbox o
using unnest($1::text[], $2::bigint[]) as k (tenant, seq)
where o.tenant = k.tenant and o.seq = k.seq
