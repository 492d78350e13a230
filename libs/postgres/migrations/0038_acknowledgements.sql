-- Acknowledgements that came out of order. A person's delivered watermark in a room says that everything up to it has
-- arrived; what was acknowledged above something that was not stands here, until the watermark passes it.
create table acknowledgements (
  tenant text not null,
  user_id text not null,                    -- the reader: a user id, or agent:{id}
  room text not null,
  seq bigint not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id, room, seq)
);
alter table acknowledgements enable row level security;
alter table acknowledgements force row level security;
create policy workers on acknowledgements to carillon_ingest, carillon_router, carillon_delivery, carillon_operator,
  carillon_feed using (true) with check (true);
create policy own_only on acknowledgements to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)));
grant select on acknowledgements to carillon_gateway, carillon_operator;
grant select, insert, delete on acknowledgements to carillon_feed;

-- Up to where sockets have confirmed what they were sent. What stands below is settled by it.
create or replace function feed_delivered(p_tenants text[], p_readers text[], p_rooms text[], p_seqs bigint[])
returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into room_watermarks as w (tenant, user_id, room, delivered_seq, delivered_at)
    select k.t, k.u, k.r, max(k.s), clock_timestamp()
    from unnest(p_tenants, p_readers, p_rooms, p_seqs) as k (t, u, r, s)
    group by k.t, k.u, k.r order by k.t, k.u, k.r
    on conflict (tenant, user_id, room)
      do update set delivered_seq = excluded.delivered_seq, delivered_at = excluded.delivered_at
      where w.delivered_seq < excluded.delivered_seq;
  delete from acknowledgements a
    using unnest(p_tenants, p_readers, p_rooms, p_seqs) as k (t, u, r, s)
    where a.tenant = k.t and a.user_id = k.u and a.room = k.r and a.seq <= k.s
$$;

-- Single entries that were acknowledged; those that the watermark covers need no row.
create function feed_acknowledged(p_tenants text[], p_readers text[], p_rooms text[], p_seqs bigint[])
returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into acknowledgements (tenant, user_id, room, seq)
    select distinct k.t, k.u, k.r, k.s
    from unnest(p_tenants, p_readers, p_rooms, p_seqs) as k (t, u, r, s)
    where not exists (select from room_watermarks w where w.tenant = k.t and w.user_id = k.u and w.room = k.r
                      and w.delivered_seq >= k.s)
    order by k.t, k.u, k.r, k.s
    on conflict do nothing
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
        select from acknowledgements a
        where a.tenant = p_tenant and a.user_id = p_reader and a.room = k.r and a.seq = l.seq)
      and not exists (
        select from room_log e
        where e.tenant = p_tenant and e.room = k.r and e.notification = l.id
          and (e.kind = 1 or e.expires_at <= clock_timestamp()))
    order by l.seq desc limit p_limit
  ) f
$$;

-- Which of these entries are to be sent again: by the same rule.
create function feed_unacknowledged(p_tenants text[], p_readers text[], p_rooms text[], p_seqs bigint[])
returns table (tenant text, reader text, room text, seq bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, k.r, k.s
  from unnest(p_tenants, p_readers, p_rooms, p_seqs) as k (t, u, r, s)
  join room_log l on l.tenant = k.t and l.room = k.r and l.seq = k.s
  left join room_watermarks w on w.tenant = k.t and w.user_id = k.u and w.room = k.r
  where k.s > greatest(w.delivered_seq, w.read_seq, w.seen_seq, w.cleared_seq, 0)
    and not exists (
      select from acknowledgements a where a.tenant = k.t and a.user_id = k.u and a.room = k.r and a.seq = k.s)
    and not exists (
      select from receipts c
      where c.tenant = k.t and c.user_id = k.u and c.notification = l.notification
        and (c.read or c.seen_at is not null or c.deleted_at is not null or c.archived_at is not null
             or c.snoozed_until is not null))
    and not exists (
      select from room_log e
      where e.tenant = k.t and e.room = k.r and e.notification = l.notification
        and (e.kind = 1 or e.expires_at <= clock_timestamp()))
$$;

do $$
declare signature text;
begin
  foreach signature in array array['feed_acknowledged(text[], text[], text[], bigint[])',
                                   'feed_unacknowledged(text[], text[], text[], bigint[])'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;
