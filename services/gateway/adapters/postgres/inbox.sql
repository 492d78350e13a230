-- Every statement here runs in a transaction under row-level security. $1 tenant, $2 reader, $3 the reader's own rooms,
-- $4 the rooms that the token claims, $5 now.
--
-- A notification exists for a reader in the first of its rooms that they may read. A row without `prior` is in its
-- first room; one with it is looked at only where one of the rooms before it is the reader's too, or too many are.
-- It is hidden when it was deleted or cleared, withdrawn in that room, is over, or came while its type was muted.

-- name: page
-- $6 limit, $7 offset, $8–$10 the cursor (at, room, seq) of the last row seen, $11 from and $12 to (when it came into
-- the inbox), $13 event, $14 name, $15 types, $16 severity, $17 tag, $18 org, $19 agent, $20 unread, $21 archived,
-- $22 snoozed, $23 a text in title or message. One row more than the limit says that there is more. Newest first; rows
-- of one moment by room, then seq.
with spans as materialized (
  select s.room, s.after, s.until, h.epoch, h.seq as head, coalesce(w.read_seq, 0) as read_seq, w.read_at,
    coalesce(w.seen_seq, 0) as seen_seq, w.seen_at, coalesce(w.cleared_seq, 0) as cleared_seq,
    coalesce(w.delivered_seq, 0) as delivered_seq, w.delivered_at
  from readable_spans($1, $2, $3, $4) s
  join room_heads h on h.tenant = $1 and h.room = s.room
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = s.room
),
mine as materialized (select array_agg(room) || '*'::text as rooms from spans),
muted as materialized (select type, since, until from muted_spans($1, $2)),
bounds as materialized (
  select s.*,
    greatest(
      s.after, s.cleared_seq,
      case when $11::timestamptz is not null then seq_at($1, s.room, s.head, $11, false) end,
      case when $20::boolean and not exists (
             select from receipts u where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null)
           then s.read_seq end
    ) as low,
    least(
      coalesce(s.until, s.head), s.head,
      case when $12::timestamptz is not null then seq_at($1, s.room, s.head, $12, true) end,
      case when $8::timestamptz is null then null
           when s.room = $9::text then $10::bigint - 1
           else seq_at($1, s.room, s.head, $8, s.room > $9) end
    ) as high
  from spans s
)
select p.*, p.below_delivered or a.seq is not null as delivered, coalesce(a.at, p.room_delivered_at) as delivered_at,
  n.event, n.type, n.name, n.title, n.message, n.severity, n.priority, n.metadata, n.data, n.sealed,
  n.extras, n.rooms, n.accepted_at
from (
  select x.*
  from bounds b
  cross join lateral (
    select l.notification as id, l.room, b.epoch, l.seq, l.at, l.expires_at,
      coalesce(r.read, l.seq <= b.read_seq) as read, coalesce(r.read_at, b.read_at) as read_at,
      l.seq <= b.seen_seq or r.seen_at is not null as seen, coalesce(r.seen_at, b.seen_at) as seen_at,
      r.archived_at, case when r.snoozed_until > $5::timestamptz then r.snoozed_until end as snoozed_until,
      l.seq <= b.delivered_seq as below_delivered, b.delivered_at as room_delivered_at, $5::timestamptz - l.at as age
    from room_log l
    join notifications n on n.tenant = l.tenant and n.id = l.notification
    left join receipts r on r.tenant = $1 and r.user_id = $2 and r.notification = l.notification
    where l.tenant = $1 and l.room = b.room and l.seq > b.low and l.seq <= b.high and l.kind = 0
      and r.deleted_at is null
      and (r.archived_at is not null) = $21::boolean
      and (r.snoozed_until is not null and r.snoozed_until > $5) = $22::boolean
      and (l.expires_at is null or l.expires_at > $5)
      and not exists (
        select from muted m where m.type = l.type and l.at >= m.since and (m.until is null or l.at < m.until))
      and (l.prior is null or not l.prior && (select rooms from mine) or not exists (
        select from room_log e join spans s on s.room = e.room
        where e.tenant = $1 and e.notification = l.notification and e.kind = 0
          and array_position(n.rooms, e.room) < array_position(n.rooms, l.room)
          and e.seq > s.after and (s.until is null or e.seq <= s.until)))
      and not exists (
        select from room_log c
        where c.tenant = $1 and c.notification = l.notification and c.room = l.room and c.kind = 1)
      and ($13::text is null or n.event = $13)
      and ($14::text is null or n.name = $14)
      and ($15::text[] is null or n.type = any ($15))
      and ($16::text is null or n.severity = $16)
      and ($17::text is null or n.extras -> 'tags' ? $17)
      and ($18::text is null or n.metadata ->> 'orgId' = $18)
      and ($19::text is null or n.metadata ->> 'agentId' = $19)
      and ($20 is null or coalesce(r.read, l.seq <= b.read_seq) <> $20)
      and ($23::text is null or strpos(lower(concat_ws(chr(31), n.title, n.message)), lower($23)) > 0)
    order by l.seq desc
    limit $6::int + $7::int + 1
  ) x
  order by x.at desc, x.room, x.seq desc
  limit $6 + 1 offset $7
) p
join notifications n on n.tenant = $1 and n.id = p.id
-- Only for the rows of the page: joined further in, it would make the planner sort all there are.
left join acknowledgements a on a.tenant = $1 and a.user_id = $2 and a.room = p.room and a.seq = p.seq
order by p.at desc, p.room, p.seq desc;

-- name: some
-- $6 notifications: of each its row in the room in which it exists for the reader, also when it is archived, snoozed or
-- muted. No row for what they may not read, and for what was deleted, cleared, withdrawn or is over.
with spans as materialized (select room, after, until from readable_spans($1, $2, $3, $4))
select home.*, coalesce(home.marked, home.seq <= home.read_seq) as read,
  home.seq <= home.seen_seq or home.seen_mark is not null as seen
from unnest($6::uuid[]) as k (id)
cross join lateral (
  select l.notification as id, l.room, h.epoch, l.seq, l.at, l.expires_at, r.read as marked, r.read_at as read_mark,
    r.seen_at as seen_mark, r.snoozed_until as snooze_mark, coalesce(w.read_seq, 0) as read_seq, coalesce(w.seen_seq, 0) as seen_seq, coalesce(w.cleared_seq, 0) as cleared_seq,
    coalesce(r.read_at, w.read_at) as read_at, coalesce(r.seen_at, w.seen_at) as seen_at,
    r.archived_at, case when r.snoozed_until > $5::timestamptz then r.snoozed_until end as snoozed_until, r.deleted_at,
    l.seq <= coalesce(w.delivered_seq, 0) or a.seq is not null as delivered,
    coalesce(a.at, w.delivered_at) as delivered_at, $5::timestamptz - l.at as age,
    n.event, n.type, n.name, n.title, n.message, n.severity, n.priority, n.metadata, n.data, n.sealed, n.extras,
    n.rooms, n.accepted_at
  from room_log l
  join spans s on s.room = l.room and l.seq > s.after and (s.until is null or l.seq <= s.until)
  join room_heads h on h.tenant = $1 and h.room = l.room
  join notifications n on n.tenant = $1 and n.id = l.notification
  left join receipts r on r.tenant = $1 and r.user_id = $2 and r.notification = l.notification
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = l.room
  left join acknowledgements a on a.tenant = $1 and a.user_id = $2 and a.room = l.room and a.seq = l.seq
  where l.tenant = $1 and l.notification = k.id and l.kind = 0
  order by array_position(n.rooms, l.room)
  limit 1
) home
where home.deleted_at is null and home.seq > home.cleared_seq and (home.expires_at is null or home.expires_at > $5)
  and not exists (
    select from room_log c where c.tenant = $1 and c.notification = k.id and c.room = home.room and c.kind = 1);

-- name: unread_count
-- What the page with unread = true would hold: above the watermarks all rows less those that were read or hidden one
-- by one (both sides are read from indexes alone), below them those that were marked unread.
with spans as materialized (
  select s.room, s.after, s.until, coalesce(w.cleared_seq, 0) as cleared_seq, coalesce(w.read_seq, 0) as read_seq,
    greatest(s.after, w.cleared_seq, w.read_seq) as low
  from readable_spans($1, $2, $3, $4) s
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = s.room
),
mine as materialized (select array_agg(room) || '*'::text as rooms from spans),
muted as materialized (select type, since, until from muted_spans($1, $2)),
withdrawn as materialized (
  select c.room, c.notification from spans w
  join room_log c on c.tenant = $1 and c.room = w.room and c.seq > w.low and c.kind = 1
),
counted as materialized (
  select count(*) as all_of_them,
    array_agg(l.notification) filter (where l.prior && m.rooms) as doubtful,
    array_agg(l.room) filter (where l.prior && m.rooms) as doubtful_in
  from spans s
  cross join mine m
  join room_log l on l.tenant = $1 and l.room = s.room and l.seq > s.low
    and l.seq <= coalesce(s.until, 9223372036854775807)
  where l.kind = 0
    and l.notification not in (
      select r.notification from receipts r
      where r.tenant = $1 and r.user_id = $2
        and (r.read or r.deleted_at is not null or r.archived_at is not null or r.snoozed_until > $5::timestamptz))
    and (not exists (select from withdrawn) or (l.room, l.notification) not in (select room, notification from withdrawn))
    and (l.expires_at is null or l.expires_at > $5)
    and (not exists (select from muted) or not exists (
      select from muted u where u.type = l.type and l.at >= u.since and (u.until is null or l.at < u.until)))
)
select
  (select all_of_them - coalesce(cardinality(doubtful), 0) from counted)
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
       select l.room, l.seq, l.type, l.at, l.expires_at, s.read_seq, s.cleared_seq
       from room_log l
       join spans s on s.room = l.room and l.seq > s.after and (s.until is null or l.seq <= s.until)
       join notifications n on n.tenant = $1 and n.id = l.notification
       where l.tenant = $1 and l.notification = u.notification and l.kind = 0
       order by array_position(n.rooms, l.room) limit 1
     ) home
     where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null
       and u.archived_at is null and (u.snoozed_until is null or u.snoozed_until <= $5)
       and home.seq <= home.read_seq and home.seq > home.cleared_seq
       and (home.expires_at is null or home.expires_at > $5)
       and not exists (
         select from room_log c
         where c.tenant = $1 and c.notification = u.notification and c.room = home.room and c.kind = 1)
       and not exists (
         select from muted m
         where m.type = home.type and home.at >= m.since and (m.until is null or home.at < m.until)));

-- name: counts
-- By type, how many of the inbox are unread and how many were not seen; types with neither are left out.
with spans as materialized (
  select s.room, s.after, s.until, coalesce(w.read_seq, 0) as read_seq, coalesce(w.seen_seq, 0) as seen_seq,
    greatest(s.after, w.cleared_seq) as low
  from readable_spans($1, $2, $3, $4) s
  left join room_watermarks w on w.tenant = $1 and w.user_id = $2 and w.room = s.room
),
mine as materialized (select array_agg(room) || '*'::text as rooms from spans),
muted as materialized (select type, since, until from muted_spans($1, $2)),
marked as materialized (
  select notification, read, seen_at, deleted_at is not null or archived_at is not null
      or coalesce(snoozed_until > $5::timestamptz, false) as hidden
  from receipts where tenant = $1 and user_id = $2
),
floors as materialized (
  -- Below both watermarks nothing counts but what was marked unread; where there is such a mark all is looked at.
  select s.*, case when exists (select from marked u where u.read is false and not u.hidden) then s.low
    else greatest(s.low, least(s.read_seq, s.seen_seq)) end as start
  from spans s
)
select l.type, count(*) filter (where not coalesce(r.read, l.seq <= s.read_seq)) as unread,
  count(*) filter (where l.seq > s.seen_seq and r.seen_at is null) as unseen
from floors s
join room_log l on l.tenant = $1 and l.room = s.room and l.seq > s.start
  and l.seq <= coalesce(s.until, 9223372036854775807) and l.kind = 0
left join marked r on r.notification = l.notification
where r.hidden is not true
  and (not coalesce(r.read, l.seq <= s.read_seq) or (l.seq > s.seen_seq and r.seen_at is null))
  and (l.expires_at is null or l.expires_at > $5)
  and (l.room, l.notification) not in (
    select c.room, c.notification from spans w
    join room_log c on c.tenant = $1 and c.room = w.room and c.seq > w.low and c.kind = 1)
  and not exists (
    select from muted u where u.type = l.type and l.at >= u.since and (u.until is null or l.at < u.until))
  and (l.prior is null or not l.prior && (select rooms from mine) or not exists (
    select from notifications n
    join room_log e on e.tenant = $1 and e.notification = n.id and e.kind = 0
    join spans p on p.room = e.room and e.seq > p.after and (p.until is null or e.seq <= p.until)
    where n.tenant = $1 and n.id = l.notification
      and array_position(n.rooms, e.room) < array_position(n.rooms, l.room)))
group by l.type order by l.type;

-- name: ends
-- (Without $5.) Up to where each room can be read: where "all" ends.
select s.room, max(least(coalesce(s.until, h.seq), h.seq)) as seq
from readable_spans($1, $2, $3, $4) s
join room_heads h on h.tenant = $1 and h.room = s.room
group by s.room;

-- name: move_read
-- $3 rooms, $4 seqs, $5 now. Returns the watermarks that moved; they never move back. What is read has been seen.
insert into room_watermarks as w (tenant, user_id, room, read_seq, read_at, seen_seq, seen_at)
select $1, $2, k.room, k.seq, $5, k.seq, $5
from unnest($3::text[], $4::bigint[]) as k (room, seq) where k.seq > 0 order by k.room
on conflict (tenant, user_id, room) do update
set read_seq = greatest(w.read_seq, excluded.read_seq),
    read_at = case when w.read_seq < excluded.read_seq then excluded.read_at else w.read_at end,
    seen_seq = greatest(w.seen_seq, excluded.seen_seq),
    seen_at = case when w.seen_seq < excluded.seen_seq then excluded.seen_at else w.seen_at end
where w.read_seq < excluded.read_seq or w.seen_seq < excluded.seen_seq
returning room;

-- name: move_seen
-- $3 rooms, $4 seqs, $5 now.
insert into room_watermarks as w (tenant, user_id, room, seen_seq, seen_at)
select $1, $2, k.room, k.seq, $5 from unnest($3::text[], $4::bigint[]) as k (room, seq) where k.seq > 0 order by k.room
on conflict (tenant, user_id, room)
  do update set seen_seq = excluded.seen_seq, seen_at = excluded.seen_at where w.seen_seq < excluded.seen_seq
returning room;

-- name: move_cleared
-- $3 rooms, $4 seqs.
insert into room_watermarks as w (tenant, user_id, room, cleared_seq)
select $1, $2, k.room, k.seq from unnest($3::text[], $4::bigint[]) as k (room, seq) where k.seq > 0 order by k.room
on conflict (tenant, user_id, room)
  do update set cleared_seq = excluded.cleared_seq where w.cleared_seq < excluded.cleared_seq
returning room;

-- name: clear_unread_marks
-- $6 rooms, $7 seqs: what was marked unread one by one and lies at or below these positions is read, but for what is
-- snoozed: nobody has seen it there.
update receipts u
set read = true, read_at = $5, seen_at = coalesce(seen_at, $5), updated_at = $5
where u.tenant = $1 and u.user_id = $2 and u.read is false and u.deleted_at is null
  and (u.snoozed_until is null or u.snoozed_until <= $5)
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
    join unnest($6::text[], $7::bigint[]) as k (room, seq) on k.room = home.room and home.seq <= k.seq)
returning u.notification;

-- name: make_state
insert into user_heads (tenant, user_id) values ($1, $2) on conflict do nothing;

-- name: lock_state
select epoch, seq from user_heads where tenant = $1 and user_id = $2 for update;

-- name: put_receipts
-- $3 notifications, $4 rooms and $5 seqs where they exist for the reader, $6 read, $7 when read, $8 when seen, $9 when
-- archived, $10 until when snoozed, $11 when deleted, $12 now. The whole of what is known of each.
insert into receipts as r (tenant, user_id, notification, room, seq, read, read_at, seen_at, archived_at, snoozed_until,
  deleted_at, updated_at)
select $1, $2, k.*, $12
from unnest($3::uuid[], $4::text[], $5::bigint[], $6::boolean[], $7::timestamptz[], $8::timestamptz[],
  $9::timestamptz[], $10::timestamptz[], $11::timestamptz[]) as k
on conflict (tenant, user_id, notification) do update
set read = excluded.read, read_at = excluded.read_at, seen_at = excluded.seen_at, archived_at = excluded.archived_at,
    snoozed_until = excluded.snoozed_until, deleted_at = excluded.deleted_at, updated_at = excluded.updated_at;

-- name: append_states
-- $3 operation, $4 notifications (a null for one that names positions), $5 positions, $6 count, $7 until, $8 now: an
-- entry of the state log for each, in their order.
with head as (
  update user_heads set seq = seq + cardinality($4::uuid[]) where tenant = $1 and user_id = $2 returning epoch, seq
), entry as (
  insert into state_log (tenant, user_id, seq, operation, notification, positions, count, until, at)
  select $1, $2, head.seq - cardinality($4) + k.number, $3, k.notification, $5, $6, $7, $8
  from head cross join unnest($4) with ordinality as k (notification, number)
)
select epoch, seq - cardinality($4) as before from head;

-- name: wake
-- $1 now, $2 how many: what was snoozed and is due, of all readers.
select * from feed_wake($1, $2);

-- name: tell_read
-- ($1 alone.) What has just been marked read with the rest, for the lifecycle.
select lifecycle_read_together($1::uuid[]);
