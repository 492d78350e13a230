-- What the gateway asks for many people and rooms at once. These functions read across tenants, so they take
-- (tenant, room) or (tenant, reader) pairs and join on both; the gateway may execute them and not select by itself.
-- A reader is a user id, or agent:{id}.

-- Unread marks below the watermark are counted one by one; there are few, and this finds them without the rest.
create index receipts_unread on receipts (tenant, user_id) include (notification)
  where read is false and deleted_at is null;

-- Entries of room logs ----------------------------------------------------------------------------------------------
-- A log entry with its notification (null in a control entry) and where the notification stands in all its rooms.
create view feed_log as
  select l.tenant, l.room, o.epoch, l.seq, l.at, n.id, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority,
    n.metadata, n.data, n.extras, n.accepted_at, n.traceparent, e.rooms, e.epochs, e.seqs
  from room_log l
  join room_heads o on o.tenant = l.tenant and o.room = l.room
  left join notifications n on n.tenant = l.tenant and n.id = l.notification and l.kind = 0
  left join lateral (
    select array_agg(x.room) as rooms, array_agg(h.epoch) as epochs, array_agg(x.seq) as seqs
    from room_log x join room_heads h on h.tenant = x.tenant and h.room = x.room
    where x.tenant = n.tenant and x.notification = n.id and x.kind = 0
  ) e on true;
alter view feed_log owner to carillon_feed;

-- The entries with p_after < seq <= p_until of each room, the oldest p_limit of each.
create function feed_entries(p_tenants text[], p_rooms text[], p_after bigint[], p_until bigint[], p_limit int)
returns setof feed_log
language sql stable security definer set search_path = public, pg_temp as $$
  select f.*
  from unnest(p_tenants, p_rooms, p_after, p_until) as k (t, r, low, high)
  cross join lateral (
    select * from feed_log l
    where l.tenant = k.t and l.room = k.r and l.seq > k.low and l.seq <= k.high
    order by l.seq limit p_limit
  ) f
$$;

-- The newest p_limit entries of each room that nothing of the reader has acknowledged, read or deleted.
create function feed_newest(p_tenant text, p_reader text, p_rooms text[], p_after bigint[], p_until bigint[],
                            p_limit int)
returns setof feed_log
language sql stable security definer set search_path = public, pg_temp as $$
  select f.*
  from unnest(p_rooms, p_after, p_until) as k (r, low, high)
  left join room_watermarks w on w.tenant = p_tenant and w.user_id = p_reader and w.room = k.r
  cross join lateral (
    select l.* from feed_log l
    where l.tenant = p_tenant and l.room = k.r and l.seq <= k.high and l.id is not null
      and l.seq > greatest(k.low, w.delivered_seq, w.read_seq)
      and not exists (select from receipts c where c.tenant = p_tenant and c.user_id = p_reader
                      and c.notification = l.id and (c.read or c.deleted_at is not null))
    order by l.seq desc limit p_limit
  ) f
$$;

-- Heads -------------------------------------------------------------------------------------------------------------
create function feed_heads(p_tenants text[], p_rooms text[])
returns table (tenant text, room text, epoch bigint, seq bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select h.tenant, h.room, h.epoch, h.seq
  from unnest(p_tenants, p_rooms) as k (t, r)
  join room_heads h on h.tenant = k.t and h.room = k.r
$$;

-- The heads of rooms that somebody begins to follow: what has none yet gets one, so that it has an epoch.
create function feed_begin(p_tenants text[], p_rooms text[])
returns table (tenant text, room text, epoch bigint, seq bigint)
language sql security definer set search_path = public, pg_temp as $$
  insert into room_heads (tenant, room)
    select distinct k.t, k.r from unnest(p_tenants, p_rooms) as k (t, r)
    where not exists (select from room_heads h where h.tenant = k.t and h.room = k.r)
    order by k.t, k.r
    on conflict do nothing;
  select * from feed_heads(p_tenants, p_rooms)
$$;

-- State logs: what people did to their inboxes ----------------------------------------------------------------------
create function feed_state_heads(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, epoch bigint, seq bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select h.tenant, h.user_id, h.epoch, h.seq
  from unnest(p_tenants, p_readers) as k (t, u)
  join user_heads h on h.tenant = k.t and h.user_id = k.u
$$;

create function feed_state_begin(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, epoch bigint, seq bigint)
language sql security definer set search_path = public, pg_temp as $$
  insert into user_heads (tenant, user_id)
    select distinct k.t, k.u from unnest(p_tenants, p_readers) as k (t, u)
    where not exists (select from user_heads h where h.tenant = k.t and h.user_id = k.u)
    order by k.t, k.u
    on conflict do nothing;
  select * from feed_state_heads(p_tenants, p_readers)
$$;

create function feed_states(p_tenants text[], p_readers text[], p_after bigint[], p_until bigint[], p_limit int)
returns table (tenant text, reader text, epoch bigint, seq bigint, operation text, notification uuid, positions jsonb,
               at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, h.epoch, s.seq, s.operation, s.notification, s.positions, s.at
  from unnest(p_tenants, p_readers, p_after, p_until) as k (t, u, low, high)
  join user_heads h on h.tenant = k.t and h.user_id = k.u
  cross join lateral (
    select * from state_log l
    where l.tenant = k.t and l.user_id = k.u and l.seq > k.low and l.seq <= k.high
    order by l.seq limit p_limit
  ) s
$$;

-- Memberships -------------------------------------------------------------------------------------------------------
-- All intervals of each reader with the version of the whole; a row with a null room for a reader without any.
create function feed_memberships(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, version bigint, room text, joined_seq bigint, left_seq bigint, source text)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, coalesce(v.version, 0), m.room, m.joined_seq, m.left_seq, m.source
  from unnest(p_tenants, p_readers) as k (t, u)
  left join membership_versions v on v.tenant = k.t and v.user_id = k.u
  left join memberships m on m.tenant = k.t and m.user_id = k.u
  order by k.t, k.u, m.room, m.joined_seq
$$;

create function feed_versions(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, version bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select v.tenant, v.user_id, v.version
  from unnest(p_tenants, p_readers) as k (t, u)
  join membership_versions v on v.tenant = k.t and v.user_id = k.u
$$;

-- Up to where sockets have confirmed what they were sent --------------------------------------------------------------
create function feed_delivered(p_tenants text[], p_readers text[], p_rooms text[], p_seqs bigint[])
returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into room_watermarks as w (tenant, user_id, room, delivered_seq, delivered_at)
    select k.t, k.u, k.r, max(k.s), clock_timestamp()
    from unnest(p_tenants, p_readers, p_rooms, p_seqs) as k (t, u, r, s)
    group by k.t, k.u, k.r order by k.t, k.u, k.r
    on conflict (tenant, user_id, room)
      do update set delivered_seq = excluded.delivered_seq, delivered_at = excluded.delivered_at
      where w.delivered_seq < excluded.delivered_seq
$$;

do $$
declare signature text;
begin
  foreach signature in array array[
    'feed_entries(text[], text[], bigint[], bigint[], int)',
    'feed_newest(text, text, text[], bigint[], bigint[], int)',
    'feed_heads(text[], text[])', 'feed_begin(text[], text[])',
    'feed_state_heads(text[], text[])', 'feed_state_begin(text[], text[])',
    'feed_states(text[], text[], bigint[], bigint[], int)',
    'feed_memberships(text[], text[])', 'feed_versions(text[], text[])',
    'feed_delivered(text[], text[], text[], bigint[])'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;

-- The inbox (these run as the gateway itself, under row-level security) -----------------------------------------------
-- What a reader may read, as intervals after < seq <= until (null: open): their own rooms, what the directory gives
-- or gave them, and of what only tokens claim, the rooms that today's token claims.
create function readable_spans(p_tenant text, p_reader text, p_own text[], p_claimed text[])
returns table (room text, after bigint, until bigint)
language sql stable as $$
  select o, 0::bigint, null::bigint from unnest(p_own) as o
  union all
  select m.room, m.joined_seq, m.left_seq
  from memberships m
  where m.tenant = p_tenant and m.user_id = p_reader and (m.source = 'directory' or m.room = any (p_claimed))
$$;

-- The greatest seq of a room whose entry is not later than p_at (before it, when not p_inclusive), by halving: `at`
-- never runs backwards within a room.
create function seq_at(p_tenant text, p_room text, p_high bigint, p_at timestamptz, p_inclusive boolean)
returns bigint
language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint := p_high;
  middle bigint;
  found_seq bigint;
  found_at timestamptz;
begin
  while low < high loop
    middle := (low + high + 1) / 2;
    select l.seq, l.at into found_seq, found_at from room_log l
      where l.tenant = p_tenant and l.room = p_room and l.seq >= middle and l.seq <= high order by l.seq limit 1;
    if found_seq is not null and (found_at < p_at or (p_inclusive and found_at = p_at)) then
      low := found_seq;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end $$;
grant execute on function readable_spans(text, text, text[], text[]) to carillon_gateway;
grant execute on function seq_at(text, text, bigint, timestamptz, boolean) to carillon_gateway;
