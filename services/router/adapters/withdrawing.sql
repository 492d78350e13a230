-- name: collapse
-- Makes and locks the rows of these rooms and keys, in their order; returns the newest notification of each as yet.
insert into collapse_keys as c (tenant, room, key, notification)
select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
on conflict (tenant, room, key) do update set notification = c.notification
returning c.tenant, c.room, c.key, c.notification

-- name: rooms
-- Where notifications stand that may be replaced.
select n.tenant, n.id, n.rooms
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
join notifications n on n.tenant = k.tenant and n.id = k.id and n.cancelled_at is null

-- name: hold
-- The newest of each room and key from now on.
update collapse_keys c set notification = k.notification, at = clock_timestamp()
from unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) as k (tenant, room, key, notification)
where c.tenant = k.tenant and c.room = k.room and c.key = k.key

-- name: end_expansions
-- First of all: a page that is being decided is waited for, so that its deliveries are seen by the next statement.
update expansions e set done_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where e.tenant = k.tenant and e.notification = k.id and e.done_at is null

-- name: cancel_deliveries
-- What nobody has begun to send is not sent, and leaves its digest. A claim is taken away: its worker finds that out
-- before it sends.
update deliveries d
set state = 'cancelled', reason = $3, next_attempt_at = null, claim_token = null, lease_until = null,
  updated_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where d.tenant = k.tenant and d.notification = k.id and d.state in ('planned', 'deferred', 'digested', 'claimed')

-- name: end_expansions_in
-- Likewise, of the groups in whose rooms they are replaced.
update expansions e set done_at = clock_timestamp()
from unnest($1::text[], $2::uuid[], $3::text[]) as k (tenant, id, room)
where e.tenant = k.tenant and e.notification = k.id and e.room = k.room and e.done_at is null

-- name: cancel_deliveries_in
-- Likewise, to those whose room it is, and who are in the group by now.
update deliveries d
set state = 'cancelled', reason = 'replaced', next_attempt_at = null, claim_token = null, lease_until = null,
  updated_at = clock_timestamp()
from unnest($1::text[], $2::uuid[], $3::text[]) as k (tenant, id, room)
where d.tenant = k.tenant and d.notification = k.id and d.state in ('planned', 'deferred', 'digested', 'claimed')
  and (k.room = 'user:' || d.user_id or exists (
    select from memberships m
    where m.tenant = d.tenant and m.user_id = d.user_id and m.room = k.room and m.left_at is null))

-- name: mark
update notifications n set cancelled_at = clock_timestamp()
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where n.tenant = k.tenant and n.id = k.id and n.cancelled_at is null

-- name: forbid
-- What is on its way to its topic: it is cancelled when it comes, or as it is found.
insert into cancellations (tenant, id, requested_by)
select * from unnest($1::text[], $2::uuid[], $3::text[])
on conflict (tenant, id) do nothing
