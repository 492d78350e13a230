-- How long things are kept. A notification goes whole: with its entries in all its rooms, its deliveries and what else
-- hangs on it, in one transaction; and of a room only what stands before all that stays. So logs stay gap-free behind
-- their floor, and nobody finds a notification in a second room because the first has lost it.

alter table room_heads add column floor bigint not null default 0;  -- entries up to here were purged
alter table user_heads add column floor bigint not null default 0;

create index notifications_by_planning on notifications (tenant, planned_at);
create index state_log_by_time on state_log (tenant, at);
create index receipts_by_time on receipts (tenant, updated_at);
create index acknowledgements_by_time on acknowledgements (tenant, at);
create index scheduled_ended on scheduled (tenant, updated_at) where state <> 'waiting';

-- What was purged, so that the accounting still adds up: of each event and where it came from (notifications.source).
create table purged_events (
  tenant text not null,
  event text not null,
  origin text not null,
  events bigint not null,
  primary key (tenant, event, origin)
);
alter table purged_events enable row level security;
alter table purged_events force row level security;
create policy workers on purged_events to carillon_operator, carillon_feed using (true) with check (true);
grant select, insert, update on purged_events to carillon_feed;
grant select on purged_events to carillon_operator;

do $$
declare name text;
begin
  foreach name in array array['digests', 'scheduled', 'broadcasts'] loop
    execute format('create policy purging on %I to carillon_feed using (true) with check (true)', name);
  end loop;
end $$;
grant delete, update (decisions_planned) on notifications to carillon_feed;
grant delete on room_log, state_log, receipts, responses to carillon_feed;
grant update, delete on deliveries to carillon_feed;
grant select, delete on delivery_attempts, expansions, scheduled, broadcasts, audit_trail to carillon_feed;
grant select, update, delete on digests to carillon_feed;

-- The router purges; these functions are all that it may do of it. Whatever time they are given, nothing goes that is
-- younger than ids are known (libs.schemas.topics.IDS_KEPT): what comes again until then is still a duplicate.
create function purge_bound(p_before timestamptz) returns timestamptz
language sql stable as $$ select least(p_before, clock_timestamp() - interval '15 days') $$;

create function purge_count(p_tenant text, p_events text[], p_origins text[]) returns void
language sql as $$
  insert into purged_events as p (tenant, event, origin, events)
    select p_tenant, k.event, k.origin, count(*) from unnest(p_events, p_origins) as k (event, origin)
    group by k.event, k.origin order by k.event, k.origin
    on conflict (tenant, event, origin) do update set events = p.events + excluded.events
$$;

-- The oldest notifications of a tenant that can go now: about p_rows with their entries. To them belong those that stand
-- before one of them in a room and are old enough as well; left out is what is in a worker's hands or in an open digest,
-- and what stands behind anything that stays.
create function purge_choose(p_tenant text, p_bound timestamptz, p_rows int) returns uuid[]
language plpgsql as $$
declare
  v_chosen uuid[];
  v_more uuid[];
begin
  select array_agg(id) into v_chosen from (
    select id, sum(1 + cardinality(rooms)) over (order by planned_at, id) - 1 - cardinality(rooms) as before
    from (select id, rooms, planned_at from notifications
          where tenant = p_tenant and planned_at < p_bound order by planned_at, id limit p_rows) o
  ) s where before < p_rows;
  loop
    select array_agg(distinct l.notification) into v_more
    from (select room, max(seq) as seq from room_log
          where tenant = p_tenant and notification = any (v_chosen) and kind = 0 group by room) c
    join room_log l on l.tenant = p_tenant and l.room = c.room and l.seq < c.seq and l.kind = 0
    join notifications n on n.tenant = p_tenant and n.id = l.notification and n.planned_at < p_bound
    where l.notification <> all (v_chosen);
    exit when v_more is null;
    v_chosen := v_chosen || v_more;
  end loop;
  select array_agg(id) into v_chosen from (
    select n.id from notifications n
    where n.tenant = p_tenant and n.id = any (v_chosen) and not exists (
      select from deliveries d
      left join deliveries o on o.tenant = d.tenant and o.id = d.digest
      left join digests g on g.tenant = d.tenant and g.id = d.digest
      where d.tenant = p_tenant and d.notification = n.id
        and (d.lease_until > clock_timestamp() or o.lease_until > clock_timestamp()
             or g.id is not null and g.closed_at is null))
    order by n.id for update skip locked) s;
  loop
    select array_agg(distinct l.notification) into v_more
    from room_log l
    join (
      select r.room, (select min(o.seq) from room_log o where o.tenant = p_tenant and o.room = r.room and o.kind = 0
                      and o.notification <> all (v_chosen)) as stays
      from (select distinct room from room_log
            where tenant = p_tenant and notification = any (v_chosen) and kind = 0) r
    ) s on s.room = l.room
    where l.tenant = p_tenant and l.notification = any (v_chosen) and l.kind = 0 and l.seq > s.stays;
    exit when v_more is null;
    v_chosen := array(select unnest(v_chosen) except select unnest(v_more));
  end loop;
  return v_chosen;
end $$;

-- At most p_rows deliveries of notifications, with their attempts. What was never sent ends as expired first, so that the
-- lifecycle tells it. What was planned and what was collected is counted down with them. A digest whose last item goes
-- goes too.
create function purge_deliveries(p_tenant text, p_notifications uuid[], p_rows int) returns int
language plpgsql as $$
declare
  v_gone uuid[];
  v_digests uuid[];
begin
  v_gone := array(select id from deliveries where tenant = p_tenant and notification = any (p_notifications)
                  order by notification, id limit p_rows for update);
  update notifications n set decisions_planned = n.decisions_planned - c.gone
    from (select notification, count(*) as gone from deliveries
          where tenant = p_tenant and id = any (v_gone) group by notification) c
    where n.tenant = p_tenant and n.id = c.notification;
  with counted as (
    update digests g set items = g.items - c.gone
    from (select digest, count(*) as gone from deliveries
          where tenant = p_tenant and id = any (v_gone) and digest is not null group by digest) c
    where g.tenant = p_tenant and g.id = c.digest
    returning g.id, g.items
  )
  select array_agg(id) into v_digests from counted where items = 0;
  delete from digests where tenant = p_tenant and id = any (v_digests);
  update deliveries set state = 'expired', reason = 'retention', next_attempt_at = null, updated_at = clock_timestamp()
    where tenant = p_tenant and (id = any (v_gone) or id = any (v_digests))
      and state in ('planned', 'deferred', 'claimed', 'sending', 'digested');
  delete from delivery_attempts
    where tenant = p_tenant and (delivery = any (v_gone) or delivery = any (v_digests));
  delete from deliveries where tenant = p_tenant and (id = any (v_gone) or id = any (v_digests));
  return cardinality(v_gone);
end $$;

-- Cuts the logs of rooms behind these notifications and the withdrawals that follow them; how many entries went. The
-- heads come last, in the order of their keys, as everywhere.
create function purge_entries(p_tenant text, p_notifications uuid[], p_bound timestamptz) returns int
language plpgsql as $$
declare
  v_rooms text[];
  v_cuts bigint[];
  v_entries int;
begin
  select array_agg(room order by room), array_agg(greatest(last, follows) order by room) into v_rooms, v_cuts
  from (
    select r.room, r.last, (
      select max(c.seq) from room_log c
      where c.tenant = p_tenant and c.room = r.room and c.kind = 1 and c.seq > r.last and c.at < p_bound
        and not exists (select from room_log o where o.tenant = p_tenant and o.room = r.room and o.kind = 0
                        and o.seq > r.last and o.seq < c.seq)) as follows
    from (select room, max(seq) as last from room_log
          where tenant = p_tenant and notification = any (p_notifications) and kind = 0 group by room) r
  ) c;
  delete from room_log l using unnest(v_rooms, v_cuts) as k (room, cut)
    where l.tenant = p_tenant and l.room = k.room and l.seq <= k.cut;
  get diagnostics v_entries = row_count;
  perform from room_heads where tenant = p_tenant and room = any (v_rooms) order by room for update;
  update room_heads h set floor = k.cut from unnest(v_rooms, v_cuts) as k (room, cut)
    where h.tenant = p_tenant and h.room = k.room;
  return v_entries;
end $$;

-- One step: some of a tenant's notifications that were planned before p_before, or some of their deliveries where these
-- are more than p_rows. All zero when nothing can go.
create function purge_notifications(p_tenant text, p_before timestamptz, p_rows int)
returns table (notifications int, entries int, deliveries int)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_bound timestamptz := purge_bound(p_before);
  v_rows int := p_rows;
  v_gone uuid[];
  v_notifications int := 0;
  v_entries int := 0;
  v_deliveries int;
  v_events text[];
  v_origins text[];
begin
  loop
    v_gone := purge_choose(p_tenant, v_bound, v_rows);
    exit when cardinality(v_gone) > 0 or v_rows >= p_rows * 16;
    v_rows := v_rows * 4;  -- the oldest have to wait: others may go before them
  end loop;
  v_deliveries := purge_deliveries(p_tenant, v_gone, p_rows);
  if v_deliveries < p_rows and cardinality(v_gone) > 0 then
    delete from expansions where tenant = p_tenant and notification = any (v_gone);
    delete from responses where tenant = p_tenant and notification = any (v_gone);
    with gone as (
      delete from notifications where tenant = p_tenant and id = any (v_gone) returning event, source ->> 'topic' as origin
    )
    select count(*), array_agg(event), array_agg(coalesce(origin, '')) into v_notifications, v_events, v_origins from gone;
    perform purge_count(p_tenant, v_events, v_origins);
    v_entries := purge_entries(p_tenant, v_gone, v_bound);
  end if;
  return query select v_notifications, v_entries, v_deliveries;
end $$;

-- One step of what goes by its own age: at most about p_rows of a kind; how many went.
create function purge_aged(p_tenant text, p_kind text, p_before timestamptz, p_rows int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_bound timestamptz := purge_bound(p_before);
  v_count int := 0;
  v_users text[];
  v_cuts bigint[];
  v_events text[];
  v_origins text[];
begin
  case p_kind
  when 'states' then
    select array_agg(user_id order by user_id), array_agg(cut order by user_id) into v_users, v_cuts from (
      select user_id, max(seq) as cut from (
        select user_id, seq from state_log where tenant = p_tenant and at < v_bound order by at limit p_rows) o
      group by user_id) c;
    perform from user_heads where tenant = p_tenant and user_id = any (v_users) order by user_id for update;
    delete from state_log l using unnest(v_users, v_cuts) as k (u, cut)
      where l.tenant = p_tenant and l.user_id = k.u and l.seq <= k.cut;
    get diagnostics v_count = row_count;
    update user_heads h set floor = k.cut from unnest(v_users, v_cuts) as k (u, cut)
      where h.tenant = p_tenant and h.user_id = k.u;
  when 'receipts' then
    -- Of notifications that are gone: what somebody did to them says nothing any more.
    delete from receipts where (tenant, user_id, notification) in (
      select r.tenant, r.user_id, r.notification from receipts r
      where r.tenant = p_tenant and r.updated_at < v_bound
        and not exists (select from notifications n where n.tenant = p_tenant and n.id = r.notification)
      order by r.updated_at limit p_rows for update skip locked);
    get diagnostics v_count = row_count;
  when 'acknowledgements' then
    delete from acknowledgements where (tenant, user_id, room, seq) in (
      select a.tenant, a.user_id, a.room, a.seq from acknowledgements a
      where a.tenant = p_tenant and a.at < v_bound order by a.at limit p_rows);
    get diagnostics v_count = row_count;
  when 'scheduled' then
    with gone as (
      delete from scheduled where (tenant, id) in (
        select s.tenant, s.id from scheduled s
        where s.tenant = p_tenant and s.state <> 'waiting' and s.updated_at < v_bound
        order by s.updated_at limit p_rows)
      returning event, source_topic, id = event_id as counts
    )
    select count(*), array_agg(event) filter (where counts), array_agg(source_topic) filter (where counts)
      into v_count, v_events, v_origins from gone;
    perform purge_count(p_tenant, v_events, v_origins);
  when 'broadcasts' then
    with gone as (
      delete from broadcasts where (tenant, id) in (
        select b.tenant, b.id from broadcasts b
        where b.tenant = p_tenant and b.done_at < v_bound order by b.done_at limit p_rows)
      returning event, source_topic
    )
    select count(*), array_agg(event), array_agg(source_topic) into v_count, v_events, v_origins from gone;
    perform purge_count(p_tenant, v_events, v_origins);
  when 'audit' then
    delete from audit_trail where (tenant, id) in (
      select a.tenant, a.id from audit_trail a
      where a.tenant = p_tenant and a.at < v_bound order by a.at limit p_rows);
    get diagnostics v_count = row_count;
  end case;
  return v_count;
end $$;

do $$
declare signature text;
begin
  foreach signature in array array[
    'purge_bound(timestamptz)', 'purge_count(text, text[], text[])', 'purge_choose(text, timestamptz, int)',
    'purge_deliveries(text, uuid[], int)', 'purge_entries(text, uuid[], timestamptz)',
    'purge_notifications(text, timestamptz, int)', 'purge_aged(text, text, timestamptz, int)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
  end loop;
  foreach signature in array array[
    'purge_notifications(text, timestamptz, int)', 'purge_aged(text, text, timestamptz, int)'] loop
    execute format('grant execute on function %s to carillon_router', signature);
  end loop;
end $$;
