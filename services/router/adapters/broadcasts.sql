-- name: next
-- The oldest broadcast that is not told, or taken back, everywhere; nobody else works on it until the transaction ends.
select tenant, id, event, record, traceparent, key, sealed, cursor, reached, cancelled_by, created_at
from broadcasts where done_at is null order by created_at limit 1
for update skip locked

-- name: tenants
-- The next tenants behind $1: those that there were when it came; of one that is taken back those up to $2, also if they
-- were disabled since.
select tenant from tenants
where tenant > $1 and created_at <= $3
  and case when $2::text is null then disabled_at is null
      else tenant <= $2 and (disabled_at is null or disabled_at > $3) end
order by tenant limit $4

-- name: advance
update broadcasts
set cursor = $3, done_at = case when $4 then clock_timestamp() end, record = case when not $4 then record end
where tenant = $1 and id = $2

-- name: recall
-- From now on nobody else is told; whoever was is gone through from the beginning, with the next $4 tenants: a page may
-- have been told by a router that died before it could say so.
update broadcasts b
set reached = coalesce(
    (select max(ahead.tenant) from (
      select t.tenant from tenants t
      where t.tenant > b.cursor and t.created_at <= b.created_at and t.disabled_at is null
      order by t.tenant limit $4) ahead),
    b.cursor),
  cursor = '', cancelled_by = k.by, done_at = null
from unnest($1::text[], $2::uuid[], $3::text[]) as k (tenant, id, by)
where b.tenant = k.tenant and b.id = k.id and b.reached is null
returning b.tenant, b.id
