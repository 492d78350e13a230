-- The whole inbox: seen, archived, snoozed, cleared; muted types; what was withdrawn or is over is hidden.

alter table receipts
  add column seen_at timestamptz,
  add column archived_at timestamptz,
  add column snoozed_until timestamptz,     -- hidden until then; the due loop takes it away and tells the sockets
  drop constraint receipts_pkey,
  -- everything that counting needs, so that it reads the index alone
  add primary key (tenant, user_id, notification)
    include (read, seen_at, archived_at, snoozed_until, deleted_at);
drop index receipts_by_position;
drop index receipts_unread;
create index receipts_unread on receipts (tenant, user_id) include (notification, archived_at, snoozed_until)
  where read is false and deleted_at is null;
create index receipts_snoozed on receipts (snoozed_until) where snoozed_until is not null;

alter table room_watermarks
  add column seen_seq bigint not null default 0,
  add column seen_at timestamptz,
  add column cleared_seq bigint not null default 0;

alter table state_log add column until timestamptz;
comment on column state_log.positions is 'read_all, seen, cleared: {room: seq}';

-- An entry says itself when it is over and what it was muted by, so that counting reads the index alone.
alter table room_log add column if not exists expires_at timestamptz;
alter table room_log
  drop constraint room_log_pkey,
  add primary key (tenant, room, seq) include (kind, type, prior, notification, at, expires_at);
create index room_log_controls on room_log (tenant, room, seq) include (notification) where kind = 1;

-- Which types a person has muted, as intervals: what came while a type was muted stays hidden for ever. They follow
-- from the versions of the person's preferences and are written with them.
create table mutes (
  tenant text not null,
  user_id text not null,
  type text not null,                       -- catalogue key; empty: nothing is shown as it comes, only in the inbox
  since timestamptz not null,
  until timestamptz,
  primary key (tenant, user_id, type, since)
);
create unique index mutes_open on mutes (tenant, user_id, type) where until is null;

alter table mutes enable row level security;
alter table mutes force row level security;
create policy workers on mutes to carillon_router, carillon_operator, carillon_feed using (true) with check (true);
create policy own_only on mutes to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)))
  with check (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)));
grant select, insert, update on mutes to carillon_gateway;
grant select on mutes to carillon_feed, carillon_operator;

-- For each reader the types that are muted and since when, with those that were.
create function feed_mutes(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, type text, since timestamptz, until timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.tenant, m.user_id, m.type, m.since, m.until
  from unnest(p_tenants, p_readers) as k (t, u)
  join mutes m on m.tenant = k.t and m.user_id = k.u
$$;

-- The version by which gateways learn that the sockets of the reader who asks are to be looked at anew.
create function raise_own_version() returns bigint
language sql security definer set search_path = public, pg_temp as $$
  select version from raise_membership_versions(
    array[current_setting('carillon.tenant')], array[current_setting('carillon.reader')])
$$;

-- Takes away what was snoozed and is due, each with an entry of its state log. Readers who are doing something to their
-- inbox right now are left for the next round: they are locked in the same order as everywhere, the head first.
create function feed_wake(p_now timestamptz, p_limit int)
returns table (tenant text, reader text, epoch bigint, seq bigint, notification uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  due record;
  head record;
begin
  for due in
    select r.tenant as t, r.user_id as u, r.notification as n from receipts r
    where r.snoozed_until <= p_now order by r.snoozed_until limit p_limit
  loop
    perform 1 from user_heads h where h.tenant = due.t and h.user_id = due.u for update skip locked;
    continue when not found;
    update receipts r set snoozed_until = null, updated_at = p_now
      where r.tenant = due.t and r.user_id = due.u and r.notification = due.n and r.snoozed_until <= p_now;
    continue when not found;
    update user_heads h set seq = h.seq + 1 where h.tenant = due.t and h.user_id = due.u
      returning h.epoch, h.seq into head;
    insert into state_log (tenant, user_id, seq, operation, notification, at)
      values (due.t, due.u, head.seq, 'unsnoozed', due.n, p_now);
    tenant := due.t; reader := due.u; epoch := head.epoch; seq := head.seq; notification := due.n;
    return next;
  end loop;
end $$;
grant update on receipts to carillon_feed;
grant insert on state_log to carillon_feed;

-- A state entry with the time until which something is snoozed.
drop function feed_states(text[], text[], bigint[], bigint[], int);
create function feed_states(p_tenants text[], p_readers text[], p_after bigint[], p_until bigint[], p_limit int)
returns table (tenant text, reader text, epoch bigint, seq bigint, operation text, notification uuid, positions jsonb,
               until timestamptz, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, h.epoch, s.seq, s.operation, s.notification, s.positions, s.until, s.at
  from unnest(p_tenants, p_readers, p_after, p_until) as k (t, u, low, high)
  join user_heads h on h.tenant = k.t and h.user_id = k.u
  cross join lateral (
    select * from state_log l
    where l.tenant = k.t and l.user_id = k.u and l.seq > k.low and l.seq <= k.high
    order by l.seq limit p_limit
  ) s
$$;

-- What a client without a position is sent: nothing that its inbox would hide, but for what is muted, which the gateway
-- leaves out itself.
create or replace function feed_newest(p_tenant text, p_reader text, p_rooms text[], p_after bigint[],
                                       p_until bigint[], p_limit int)
returns setof feed_log
language sql stable security definer set search_path = public, pg_temp as $$
  select f.*
  from unnest(p_rooms, p_after, p_until) as k (r, low, high)
  left join room_watermarks w on w.tenant = p_tenant and w.user_id = p_reader and w.room = k.r
  cross join lateral (
    select l.* from feed_log l
    where l.tenant = p_tenant and l.room = k.r and l.seq <= k.high and l.id is not null
      and l.seq > greatest(k.low, w.delivered_seq, w.read_seq, w.seen_seq, w.cleared_seq)
      and not exists (
        select from receipts c
        where c.tenant = p_tenant and c.user_id = p_reader and c.notification = l.id
          and (c.read or c.seen_at is not null or c.deleted_at is not null or c.archived_at is not null
               or c.snoozed_until is not null))
      and not exists (
        select from room_log e
        where e.tenant = p_tenant and e.room = k.r and e.notification = l.id
          and (e.kind = 1 or e.expires_at <= clock_timestamp()))
    order by l.seq desc limit p_limit
  ) f
$$;

do $$
declare signature text;
begin
  foreach signature in array array[
    'feed_mutes(text[], text[])', 'raise_own_version()', 'feed_wake(timestamptz, int)',
    'feed_states(text[], text[], bigint[], bigint[], int)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;
