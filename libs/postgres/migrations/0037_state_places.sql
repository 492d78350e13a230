-- What a state change says more to clients: where the notification stands that it is about, and how many became read.

alter table state_log add column count int;  -- read_all, seen, cleared: how many notifications became read

-- The place is that of the receipt, which every notification has that somebody did something to.
drop function feed_states(text[], text[], bigint[], bigint[], int);
create function feed_states(p_tenants text[], p_readers text[], p_after bigint[], p_until bigint[], p_limit int)
returns table (tenant text, reader text, epoch bigint, seq bigint, operation text, notification uuid, room text,
               room_seq bigint, positions jsonb, count int, until timestamptz, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, h.epoch, s.seq, s.operation, s.notification, r.room, r.seq, s.positions, s.count, s.until, s.at
  from unnest(p_tenants, p_readers, p_after, p_until) as k (t, u, low, high)
  join user_heads h on h.tenant = k.t and h.user_id = k.u
  cross join lateral (
    select * from state_log l
    where l.tenant = k.t and l.user_id = k.u and l.seq > k.low and l.seq <= k.high
    order by l.seq limit p_limit
  ) s
  left join receipts r on r.tenant = k.t and r.user_id = k.u and r.notification = s.notification
$$;
alter function feed_states(text[], text[], bigint[], bigint[], int) owner to carillon_feed;
revoke all on function feed_states(text[], text[], bigint[], bigint[], int) from public;
grant execute on function feed_states(text[], text[], bigint[], bigint[], int) to carillon_gateway;
