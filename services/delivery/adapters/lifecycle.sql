-- The lifecycle's outbox: filled by triggers, emptied by whoever holds the lock.

-- name: lock
-- One relay at a time, so that order is kept: the lock ends with the transaction, or with its connection. A statement of
-- its own: what the next one sees begins when the lock is held.
select pg_try_advisory_xact_lock(hashtext('carillon.lifecycle'), hashtext(current_database()))

-- name: take
-- Whole rows, each of one statement: as many as have about $1 changes. They come as they stand on the topic of $2
-- partitions (libs.schemas.records.LifecycleRecord), so that nobody need look at them one by one; a notification's partition is
-- said by the last bytes of its id. They are gone when the transaction ends well.
with oldest as (
  select tenant, seq, sum(size) over (order by seq) - size as before
  from (select tenant, seq, size from lifecycle_outbox order by seq limit $1) o
), taken as (
  delete from lifecycle_outbox o using oldest w
  where o.tenant = w.tenant and o.seq = w.seq and w.before < $1
  returning o.tenant, o.changes, to_char(o.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
), records as (
  select c.seq, uuid_send(c.notification) as bytes, convert_to(c.notification::text, 'UTF8') as key,
    convert_to(json_build_object(
      'schemaVersion', 1, 'tenant', t.tenant, 'sequence', c.seq, 'notificationId', c.notification,
      'deliveryId', c.delivery, 'channel', c.channel, 'userId', c.user_id, 'state', c.state, 'reason', c.reason,
      'at', t.at)::text, 'UTF8') as value
  from taken t cross join lateral unnest(t.changes) c
)
select (get_byte(bytes, 14) * 256 + get_byte(bytes, 15)) % $2::int as partition,
  array_agg(key order by seq) as keys, array_agg(value order by seq) as values
from records
group by 1
