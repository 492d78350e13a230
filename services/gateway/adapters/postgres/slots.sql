-- name: lease
-- A free slot first, else one whose lease has run out; the one to avoid last. While the database was away nobody could
-- renew, so an expired lease counts only when the database has been up for longer than a lease.
with candidate as (
  select s.slot
  from generate_series(0, $1::int - 1) as s (slot)
  left join gateway_slots g using (slot)
  where g.holder is null
     or (g.lease_until < clock_timestamp() and pg_postmaster_start_time() < clock_timestamp() - $3::interval)
  order by s.slot is not distinct from $4, g.holder is not null, random()
  limit 1
)
insert into gateway_slots as g (slot, epoch, holder, lease_until)
select slot, 1, $2, clock_timestamp() + $3 from candidate
on conflict (slot) do update
  set epoch = g.epoch + 1, holder = excluded.holder, lease_until = excluded.lease_until
  where g.holder is null
     or (g.lease_until < clock_timestamp() and pg_postmaster_start_time() < clock_timestamp() - $3)
returning g.slot, g.epoch;

-- name: renew
-- An expired lease that nobody took is renewed too. The heartbeat row tells whether our interest survived.
update gateway_slots
set lease_until = clock_timestamp() + $4::interval
where slot = $1 and epoch = $2 and holder = $3
returning pg_postmaster_start_time() as server_started,
  exists (select from room_interest where tenant = '' and room = '' and slot = $1 and slot_epoch = $2) as registered;

-- name: release
with released as (
  update gateway_slots set holder = null, lease_until = null
  where slot = $1 and epoch = $2 and holder = $3
  returning slot
)
delete from room_interest where slot in (select slot from released) and slot_epoch <= $2;

-- name: register
-- Nothing is written when the lease is no longer ours.
with kept as (
  insert into room_interest as i (tenant, room, slot, slot_epoch)
  select distinct k.tenant, k.room, $3::int, $4::bigint
  from unnest($1::text[], $2::text[]) as k (tenant, room)
  where exists (select from gateway_slots where slot = $3 and epoch = $4 and holder = $5)
  order by 1, 2
  on conflict (tenant, room, slot) do update set slot_epoch = excluded.slot_epoch
    where i.slot_epoch < excluded.slot_epoch
)
select exists (select from gateway_slots where slot = $3 and epoch = $4 and holder = $5) as ours;

-- name: forget
-- Interest that earlier holders of the slot have left.
delete from room_interest where slot = $1 and slot_epoch < $2;

-- name: withdraw
delete from room_interest i
using unnest($1::text[], $2::text[]) as k (tenant, room)
where i.tenant = k.tenant and i.room = k.room and i.slot = $3 and i.slot_epoch = $4;

-- name: listening
select tenant, room, slot from listening_slots($1, $2) order by slot;
