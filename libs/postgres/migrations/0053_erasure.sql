-- Erasing what was said to a person (B11). The logs stay gap-free: content is blanked where it stands, under an id that
-- still tells a repeat. Ingest writes the request, the router carries it out in pages.
create table erasures (
  tenant text not null,
  user_id text not null,
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  look_at timestamptz not null default clock_timestamp(),  -- when the router goes on
  seq bigint not null default 0,            -- of the person's own room: up to where it was gone through
  delivery uuid not null default '00000000-0000-0000-0000-000000000000',  -- and up to which delivery
  notifications int not null default 0,     -- were blanked
  erased_at timestamptz,                    -- the database had nothing more of what was accepted before the request
  done_at timestamptz,                      -- neither has any topic, and what came from one since was erased too
  primary key (tenant, user_id)
);
create index erasures_open on erasures (look_at) where done_at is null;
alter table erasures enable row level security;
alter table erasures force row level security;
create policy workers on erasures to carillon_ingest, carillon_router, carillon_operator using (true) with check (true);
grant select, insert, update on erasures to carillon_ingest;
grant select, update on erasures to carillon_router;
grant select on erasures to carillon_operator;

alter table notifications add column erased_at timestamptz;

grant update (title, message, metadata, data, extras, collapse_key, erased_at) on notifications to carillon_feed;
grant update (detail) on delivery_attempts to carillon_feed;
grant delete on throttles, collapse_keys to carillon_feed;
grant select on throttles, collapse_keys to carillon_feed;
grant update (state, record, updated_at) on scheduled to carillon_feed;
do $$
declare name text;
begin
  foreach name in array array['throttles', 'collapse_keys'] loop
    execute format('create policy erasing on %I to carillon_feed using (true) with check (true)', name);
  end loop;
end $$;

-- Blanks notifications and what providers said of their deliveries, and keeps where they stood.
create function erase_notifications(p_tenant text, p_notifications uuid[]) returns void
language sql security definer set search_path = public, pg_temp as $$
  update notifications
    set title = null, message = null, metadata = '{}', data = null, extras = '{}', collapse_key = null,
      erased_at = clock_timestamp()
    where tenant = p_tenant and id = any (p_notifications) and erased_at is null;
  update delivery_attempts a set detail = null
    from deliveries d
    where d.tenant = p_tenant and d.notification = any (p_notifications)
      and a.tenant = d.tenant and a.delivery = d.id and a.detail is not null
$$;

-- What else there is of a person: providers' words about these deliveries of theirs, and with p_rest answers, scheduled
-- events that name nobody else, throttles, and what deleting them from the directory takes, unless they came back.
create function erase_person(p_tenant text, p_user text, p_deliveries uuid[], p_rest boolean) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update delivery_attempts set detail = null
    where tenant = p_tenant and delivery = any (p_deliveries) and detail is not null;
  update deliveries set provider_message_id = null, reached = '{}'
    where tenant = p_tenant and id = any (p_deliveries) and (provider_message_id is not null or reached <> '{}')
      and state not in ('claimed', 'sending');
  if not p_rest or exists (select from users where tenant = p_tenant and user_id = p_user) then
    return;
  end if;
  update responses set value = '', event = null where tenant = p_tenant and user_id = p_user and value <> '';
  update scheduled s set state = 'cancelled', record = null, updated_at = clock_timestamp()
    from (select id, convert_from(record, 'UTF8')::jsonb -> 'recipients' as named from scheduled
          where tenant = p_tenant and state = 'waiting') w
    where s.tenant = p_tenant and s.id = w.id and s.state = 'waiting'
      and w.named -> 'userIds' = jsonb_build_array(p_user) and not exists (
        select from jsonb_each(w.named) e
        where e.key not in ('userIds', 'excludeUserIds') and e.value not in ('[]', 'false', 'null'));
  delete from throttles where tenant = p_tenant and user_id = p_user;
  delete from collapse_keys where tenant = p_tenant and room = 'user:' || p_user;
  perform forget_people(array[p_tenant], array[p_user]);
end $$;

do $$
declare signature text;
begin
  foreach signature in array array['erase_notifications(text, uuid[])', 'erase_person(text, text, uuid[], boolean)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_router', signature);
  end loop;
end $$;

-- What was erased is not shown to who catches up; the entry still has its place.
create or replace view feed_log as
  select l.tenant, l.room, o.epoch, l.seq, l.at, n.id, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority,
    n.metadata, n.data, n.extras, n.accepted_at, n.traceparent, e.rooms, e.epochs, e.seqs,
    n.expires_at, n.collapse_key,
    case when l.kind = 1 then l.notification end as withdrawn, case when l.kind = 1 then l.type end as withdrawn_because
  from room_log l
  join room_heads o on o.tenant = l.tenant and o.room = l.room
  left join notifications n on n.tenant = l.tenant and n.id = l.notification and l.kind = 0 and n.erased_at is null
    and (l.expires_at is null or l.expires_at > now())
  left join lateral (
    select array_agg(x.room) as rooms, array_agg(h.epoch) as epochs, array_agg(x.seq) as seqs
    from room_log x join room_heads h on h.tenant = x.tenant and h.room = x.room
    where x.tenant = l.tenant and x.notification = l.notification and x.kind = l.kind and (n.id is not null or l.kind = 1)
  ) e on true;
