-- What administrators see of their own tenant: the log of notifications, figures, and who has read. The functions read
-- what is others', so they take the tenant from the transaction and never from their caller.

create index notifications_by_time on notifications (tenant, accepted_at, id);

grant select on deliveries to carillon_feed;

-- One line for each notification and room, newest first, after the line (p_at, p_id, p_n). A line of a person's own room
-- says whether it was delivered and what went wrong on other channels; of a group nobody's is told.
create function admin_log(p_at timestamptz, p_id uuid, p_n bigint, p_limit int, p_user text, p_event text, p_type text,
                          p_from timestamptz, p_to timestamptz)
returns table (notification uuid, n bigint, room text, event text, type text, payload jsonb, delivered boolean,
               delivered_at timestamptz, error text, created_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select x.id, x.n, x.room, x.event, x.type, x.payload,
    case when x.person is not null then coalesce(c.read, false) or coalesce(w.delivered_seq >= l.seq, false) end,
    case when x.person is not null then
      case when w.delivered_seq >= l.seq then w.delivered_at when c.read then c.read_at end end,
    f.reason, x.accepted_at
  from (
    select n.id, r.n, r.room, n.event, n.type, n.accepted_at,
      case when r.room like 'user:%' then substr(r.room, 6) end as person,
      jsonb_strip_nulls(jsonb_build_object('name', n.name, 'title', n.title, 'message', n.message,
        'severity', n.severity, 'metadata', n.metadata, 'data', n.data)) as payload
    from notifications n
    cross join lateral unnest(n.rooms) with ordinality as r (room, n)
    where n.tenant = current_setting('carillon.tenant')
      and (p_at is null or n.accepted_at < p_at or n.accepted_at = p_at and (n.id < p_id or n.id = p_id and r.n > p_n))
      and (p_at is null or n.accepted_at <= p_at)
      and (p_user is null or r.room = 'user:' || p_user)
      and (p_event is null or n.event = p_event)
      and (p_type is null or n.type = p_type)
      and (p_from is null or n.accepted_at >= p_from)
      and (p_to is null or n.accepted_at <= p_to)
    order by n.accepted_at desc, n.id desc, r.n
    limit p_limit
  ) x
  left join room_log l on l.tenant = current_setting('carillon.tenant') and l.notification = x.id and l.room = x.room
    and l.kind = 0
  left join room_watermarks w on w.tenant = l.tenant and w.user_id = x.person and w.room = x.room
  left join receipts c on c.tenant = l.tenant and c.user_id = x.person and c.notification = x.id
  left join lateral (
    select d.channel || ': ' || d.reason as reason from deliveries d
    where d.tenant = current_setting('carillon.tenant') and d.notification = x.id and d.user_id = x.person
      and d.state in ('failed', 'bounced', 'unknown', 'expired')
    order by d.updated_at desc limit 1
  ) f on true
  order by x.accepted_at desc, x.id desc, x.n
$$;

-- Figures of what was accepted from p_from to p_to.
create function admin_stats(p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  with chosen as materialized (
    select n.id, n.event, n.type, n.severity, n.rooms, n.accepted_at from notifications n
    where n.tenant = current_setting('carillon.tenant') and n.accepted_at >= p_from and n.accepted_at <= p_to
  ),
  sent as materialized (
    select d.channel, d.state, count(*) as count from chosen n
    join deliveries d on d.tenant = current_setting('carillon.tenant') and d.notification = n.id
    group by 1, 2
  ),
  own as materialized (
    select coalesce(c.read, l.seq <= w.read_seq, false) as read,
      coalesce(c.read, false) or coalesce(l.seq <= w.delivered_seq, false) as delivered
    from chosen n
    join room_log l on l.tenant = current_setting('carillon.tenant') and l.notification = n.id and l.kind = 0
      and l.room like 'user:%'
    left join room_watermarks w on w.tenant = l.tenant and w.user_id = substr(l.room, 6) and w.room = l.room
    left join receipts c on c.tenant = l.tenant and c.user_id = substr(l.room, 6) and c.notification = n.id
  )
  select jsonb_build_object(
    'total', (select count(*) from chosen),
    'byEvent', (select coalesce(jsonb_object_agg(event, count), '{}') from (
      select event, count(*) from chosen group by 1) e),
    'byType', (select coalesce(jsonb_object_agg(type, count), '{}') from (
      select type, count(*) from chosen group by 1 order by 2 desc limit 50) t),
    'bySeverity', (select coalesce(jsonb_object_agg(severity, count), '{}') from (
      select severity, count(*) from chosen group by 1) s),
    'byHour', (select coalesce(jsonb_object_agg(hour, count), '{}') from (
      select to_char(accepted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"') as hour, count(*)
      from chosen group by 1) h),
    'byDay', (select coalesce(jsonb_object_agg(day, count), '{}') from (
      select to_char(accepted_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) from chosen group by 1) d),
    'channels', (select coalesce(jsonb_object_agg(channel, states), '{}') from (
      select channel, jsonb_object_agg(state, count) as states from sent group by 1) c),
    'inApp', (select jsonb_build_object('personal', count(*), 'read', count(*) filter (where read),
      'delivered', count(*) filter (where delivered)) from own))
$$;

-- Who has read a notification and when, by user id after p_after: of its personal rooms and of the members of its groups.
create function admin_readers(p_notification uuid, p_after text, p_limit int)
returns table (user_id text, read_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.reader, case when c.read then c.read_at else (
    select min(w.read_at) from room_log l
    join room_watermarks w on w.tenant = l.tenant and w.user_id = p.reader and w.room = l.room and w.read_seq >= l.seq
    where l.tenant = current_setting('carillon.tenant') and l.notification = p_notification and l.kind = 0) end
  from (
    select distinct on (1) reader from (
      select case when l.room like 'user:%' then substr(l.room, 6) else l.room end as reader
      from room_log l
      where l.tenant = current_setting('carillon.tenant') and l.notification = p_notification and l.kind = 0
        and (l.room like 'user:%' or l.room like 'agent:%')
      union all
      select m.user_id from room_log l
      join memberships m on m.tenant = l.tenant and m.room = l.room and l.seq > m.joined_seq
        and (m.left_seq is null or l.seq <= m.left_seq)
      where l.tenant = current_setting('carillon.tenant') and l.notification = p_notification and l.kind = 0
    ) e where reader > p_after order by 1
  ) p
  left join receipts c on c.tenant = current_setting('carillon.tenant') and c.user_id = p.reader
    and c.notification = p_notification
  where coalesce(c.read, exists (
    select from room_log l
    join room_watermarks w on w.tenant = l.tenant and w.user_id = p.reader and w.room = l.room and w.read_seq >= l.seq
    where l.tenant = current_setting('carillon.tenant') and l.notification = p_notification and l.kind = 0))
  order by p.reader
  limit p_limit
$$;

do $$
declare signature text;
begin
  foreach signature in array array[
    'admin_log(timestamptz, uuid, bigint, int, text, text, text, timestamptz, timestamptz)',
    'admin_stats(timestamptz, timestamptz)', 'admin_readers(uuid, text, int)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;
