-- Every statement here runs in a transaction under row-level security. $1 tenant, $2 reader, $3 the reader's own rooms,
-- $4 the rooms that the token claims.
--
-- A notification exists for a reader in the first of its rooms that they may read. A row without `prior` is in its
-- first room; one with it is looked at only where one of the rooms before it is the reader's too, or too many are.

-- name: page
-- $5 limit, $6 offset, $7–$9 the cursor (at, room, seq) of the last row seen, $10 from and $11 to (when it came into the
-- inbox), $12 event, $13 name, $14 type, $15 severity, $16 tag, $17 org, $18 agent, $19 unread. One row more than the
-- limit says that there is more. Newest first; rows of one moment by room, then seq.
with spans as materialized (
  select s.room, s.after, s.until, h.epoch, h.seq as head, coalesce(w.read_seq, 0) as read_seq, w.read_at,
    coalesce(w.delivered_seq, 0) as delivered_seq, w.delivered_at
  from readable_spans($1, $2, $3, $4) s
  join room_heads h on h.tenant = $1 and h.room = s.room
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = s.room
),
mine as materialized (select array_agg(room) || '*'::text as rooms from spans),
bounds as materialized (
  select s.*,
    greatest(
      s.after,
      case when $10::timestamptz is not null then seq_at($1, s.room, s.head, $10, false) end,
      case when $19::boolean and not exists (
             select from receipts u where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null)
           then s.read_seq end
    ) as low,
    least(
      coalesce(s.until, s.head), s.head,
      case when $11::timestamptz is not null then seq_at($1, s.room, s.head, $11, true) end,
      case when $7::timestamptz is null then null
           when s.room = $8::text then $9::bigint - 1
           else seq_at($1, s.room, s.head, $7, s.room > $8) end
    ) as high
  from spans s
)
select p.*, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority, n.metadata, n.data, n.extras,
  n.rooms, n.accepted_at
from (
  select x.*
  from bounds b
  cross join lateral (
    select l.notification as id, l.room, b.epoch, l.seq, l.at,
      coalesce(r.read, l.seq <= b.read_seq) as read, coalesce(r.read_at, b.read_at) as read_at,
      l.seq <= b.delivered_seq as delivered, b.delivered_at
    from room_log l
    join notifications n on n.tenant = l.tenant and n.id = l.notification
    left join receipts r on r.tenant = $1 and r.user_id = $2 and r.notification = l.notification
    where l.tenant = $1 and l.room = b.room and l.seq > b.low and l.seq <= b.high and l.kind = 0
      and r.deleted_at is null
      and (l.prior is null or not l.prior && (select rooms from mine) or not exists (
        select from room_log e join spans s on s.room = e.room
        where e.tenant = $1 and e.notification = l.notification and e.kind = 0
          and array_position(n.rooms, e.room) < array_position(n.rooms, l.room)
          and e.seq > s.after and (s.until is null or e.seq <= s.until)))
      and ($12::text is null or n.event = $12)
      and ($13::text is null or n.name = $13)
      and ($14::text is null or n.type = $14)
      and ($15::text is null or n.severity = $15)
      and ($16::text is null or n.extras -> 'tags' ? $16)
      and ($17::text is null or n.metadata ->> 'orgId' = $17)
      and ($18::text is null or n.metadata ->> 'agentId' = $18)
      and ($19 is null or coalesce(r.read, l.seq <= b.read_seq) <> $19)
    order by l.seq desc
    limit $5::int + $6::int + 1
  ) x
  order by x.at desc, x.room, x.seq desc
  limit $5 + 1 offset $6
) p
join notifications n on n.tenant = $1 and n.id = p.id
order by p.at desc, p.room, p.seq desc;

-- name: one
-- $5 the notification: its row in the room in which it exists for the reader. No row when they may not read it.
select l.notification as id, l.room, h.epoch, l.seq, l.at,
  coalesce(r.read, l.seq <= coalesce(w.read_seq, 0)) as read, coalesce(r.read_at, w.read_at) as read_at,
  l.seq <= coalesce(w.delivered_seq, 0) as delivered, w.delivered_at,
  n.event, n.type, n.name, n.title, n.message, n.severity, n.priority, n.metadata, n.data, n.extras, n.rooms,
  n.accepted_at, r.deleted_at
from room_log l
join readable_spans($1, $2, $3, $4) s on s.room = l.room and l.seq > s.after and (s.until is null or l.seq <= s.until)
join room_heads h on h.tenant = $1 and h.room = l.room
join notifications n on n.tenant = $1 and n.id = l.notification
left join receipts r on r.tenant = $1 and r.user_id = $2 and r.notification = l.notification
left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = l.room
where l.tenant = $1 and l.notification = $5 and l.kind = 0
order by array_position(n.rooms, l.room)
limit 1;

-- name: unread_count
-- What the page with unread = true would hold: above the watermarks all rows less those that were read or deleted one
-- by one (both sides are read from indexes alone), below them those that were marked unread.
with spans as materialized (
  select s.room, s.after, s.until, coalesce(w.read_seq, 0) as read_seq
  from readable_spans($1, $2, $3, $4) s
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = s.room
),
mine as materialized (select array_agg(room) || '*'::text as rooms from spans),
counted as materialized (
  select count(*) filter (where (l.prior && m.rooms) is not true) as certain,
    array_agg(l.notification) filter (where l.prior && m.rooms) as doubtful,
    array_agg(l.room) filter (where l.prior && m.rooms) as doubtful_in
  from spans s
  cross join mine m
  join room_log l on l.tenant = $1 and l.room = s.room and l.seq > greatest(s.after, s.read_seq)
    and l.seq <= coalesce(s.until, 9223372036854775807)
  where l.kind = 0 and l.notification not in (
    select r.notification from receipts r
    where r.tenant = $1 and r.user_id = $2 and (r.read or r.deleted_at is not null))
)
select
  (select certain from counted)
  + (select count(*)
     from counted c
     cross join unnest(c.doubtful, c.doubtful_in) as a (notification, room)
     join notifications n on n.tenant = $1 and n.id = a.notification
     where not exists (
       select from room_log e join spans s on s.room = e.room
       where e.tenant = $1 and e.notification = a.notification and e.kind = 0
         and array_position(n.rooms, e.room) < array_position(n.rooms, a.room)
         and e.seq > s.after and (s.until is null or e.seq <= s.until)))
  + (select count(*)
     from receipts u
     cross join lateral (
       select l.seq, s.read_seq
       from room_log l
       join spans s on s.room = l.room and l.seq > s.after and (s.until is null or l.seq <= s.until)
       join notifications n on n.tenant = $1 and n.id = l.notification
       where l.tenant = $1 and l.notification = u.notification and l.kind = 0
       order by array_position(n.rooms, l.room) limit 1
     ) home
     where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null
       and home.seq <= home.read_seq);

-- name: ends
-- Up to where each room can be read: where "all" ends.
select s.room, max(least(coalesce(s.until, h.seq), h.seq)) as seq
from readable_spans($1, $2, $3, $4) s
join room_heads h on h.tenant = $1 and h.room = s.room
group by s.room;

-- name: move_watermarks
-- $3 rooms, $4 seqs. Returns the watermarks that moved; they never move back.
insert into room_watermarks as w (tenant, user_id, room, read_seq, read_at)
select $1, $2, k.room, k.seq, $5 from unnest($3::text[], $4::bigint[]) as k (room, seq) where k.seq > 0 order by k.room
on conflict (tenant, user_id, room)
  do update set read_seq = excluded.read_seq, read_at = excluded.read_at where w.read_seq < excluded.read_seq
returning room, read_seq;

-- name: clear_unread_marks
-- $5 rooms, $6 seqs, $7 now: what was marked unread one by one and lies at or below these positions is read.
update receipts u
set read = true, read_at = $7, updated_at = $7
where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null
  and exists (
    select from (
      select l.room, l.seq
      from room_log l
      join readable_spans($1, $2, $3, $4) s
        on s.room = l.room and l.seq > s.after and (s.until is null or l.seq <= s.until)
      join notifications n on n.tenant = $1 and n.id = l.notification
      where l.tenant = $1 and l.notification = u.notification and l.kind = 0
      order by array_position(n.rooms, l.room) limit 1
    ) home
    join unnest($5::text[], $6::bigint[]) as k (room, seq) on k.room = home.room and home.seq <= k.seq)
returning u.notification;

-- name: make_state
insert into user_heads (tenant, user_id) values ($1, $2) on conflict do nothing;

-- name: lock_state
select epoch, seq from user_heads where tenant = $1 and user_id = $2 for update;

-- name: receipt
-- $3 notification, $4 room and $5 seq where it exists for the reader, $6 read, $7 when read, $8 when deleted, $9 now.
insert into receipts as r (tenant, user_id, notification, room, seq, read, read_at, deleted_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant, user_id, notification) do update
set read = excluded.read, read_at = excluded.read_at, updated_at = excluded.updated_at,
    deleted_at = coalesce(r.deleted_at, excluded.deleted_at);

-- name: append_state
with head as (
  update user_heads set seq = seq + 1 where tenant = $1 and user_id = $2 returning epoch, seq
), entry as (
  insert into state_log (tenant, user_id, seq, operation, notification, positions, at)
  select $1, $2, head.seq, $3, $4, $5, $6 from head
)
select epoch, seq from head;
