-- name: next
-- An erasure that is due, held until the transaction ends.
select tenant, user_id, requested_at, seq, delivery, erased_at
from erasures where done_at is null and look_at <= now() order by look_at limit 1
for update skip locked

-- name: in_room
-- The next notifications of the person's own room, each with whether it is theirs alone and was accepted before the
-- request; `shown` is one that was not withdrawn.
select l.seq, n.id, n.erased_at is null and n.rooms = array[l.room] and n.accepted_at <= $3 and not exists (
    select from deliveries d
    where d.tenant = $1 and d.notification = n.id and d.user_id <> $5 and d.user_id not like 'endpoint %') as theirs,
  not exists (select from room_log c where c.tenant = $1 and c.notification = n.id and c.kind = 1) as shown
from room_log l
join notifications n on n.tenant = l.tenant and n.id = l.notification
where l.tenant = $1 and l.room = $2 and l.seq > $4 and l.kind = 0
order by l.seq limit $6

-- name: deliveries
-- The next deliveries of the tenant, whoever they are for.
select id, user_id, notification from deliveries where tenant = $1 and id > $2 order by id limit $3

-- name: not_in_rooms
-- Among these the notifications that stand in no room and were for nobody else.
select n.id from notifications n
where n.tenant = $1 and n.id = any ($2::uuid[]) and n.rooms = '{}' and n.erased_at is null and n.accepted_at <= $3
  and not exists (
    select from deliveries d
    where d.tenant = $1 and d.notification = n.id and d.user_id <> $4 and d.user_id not like 'endpoint %')
order by n.id

-- name: erase
select erase_notifications($1, $2)

-- name: keys
select erase_keys($1, $2, $3)

-- name: of_person
select erase_person($1, $2, $3, $4)

-- name: went_on
update erasures set seq = $3, delivery = $4, notifications = notifications + $5 where tenant = $1 and user_id = $2

-- name: ended
-- The database has nothing more: it is looked at again when no topic has, and that is the end.
update erasures
set erased_at = coalesce(erased_at, clock_timestamp()), look_at = requested_at + $3::interval,
  delivery = '00000000-0000-0000-0000-000000000000',
  done_at = case when requested_at + $3::interval <= look_at then clock_timestamp() end
where tenant = $1 and user_id = $2
