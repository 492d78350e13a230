-- Sensitive data, sealed: what of a notification's data is encrypted, and the keys, wrapped by master keys that the database
-- never sees (libs/sealing).
create table sealing_keys (
  tenant text not null,
  user_id text not null,                    -- whose values it seals: '' is the tenant
  id uuid not null,
  master text not null,                     -- which master key wraps it
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);
create index sealing_keys_in_use on sealing_keys (tenant, user_id, created_at);
create index sealing_keys_by_master on sealing_keys (master);
alter table sealing_keys enable row level security;
alter table sealing_keys force row level security;
create policy workers on sealing_keys to carillon_router, carillon_operator, carillon_feed using (true) with check (true);
grant select, insert on sealing_keys to carillon_router;
grant select, delete on sealing_keys to carillon_feed;
grant select, update (master, wrapped) on sealing_keys to carillon_operator;

-- {key: which one, values: {path: base64}}; in their places the data has masks. Null: nothing is sealed.
alter table notifications add column sealed jsonb;
grant update (sealed) on notifications to carillon_feed;
-- Records hold the same beside their own members, as `sealed`.
alter table scheduled add column sealed boolean not null default false;
alter table broadcasts add column sealed boolean not null default false;

-- Keys by name, for whoever reads a row that names them; in a transaction of one tenant none of another's.
create function sealing_keys_of(p_tenants text[], p_ids uuid[])
returns table (tenant text, user_id text, id uuid, master text, wrapped bytea)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.tenant, k.user_id, k.id, k.master, k.wrapped
  from unnest(p_tenants, p_ids) as w (t, i)
  join sealing_keys k on k.tenant = w.t and k.id = w.i
  where k.tenant = coalesce(nullif(current_setting('carillon.tenant', true), ''), k.tenant)
$$;

-- The keys of a person that there were at a time: what they sealed cannot be read any more, in backups either.
create function erase_keys(p_tenant text, p_user text, p_until timestamptz) returns void
language sql security definer set search_path = public, pg_temp as $$
  delete from sealing_keys where tenant = p_tenant and user_id = p_user and user_id <> '' and created_at <= p_until
$$;

-- As before, and what is sealed goes too.
create or replace function erase_notifications(p_tenant text, p_notifications uuid[]) returns void
language sql security definer set search_path = public, pg_temp as $$
  update notifications
    set title = null, message = null, metadata = '{}', data = null, sealed = null, extras = '{}', collapse_key = null,
      erased_at = clock_timestamp()
    where tenant = p_tenant and id = any (p_notifications) and erased_at is null;
  update delivery_attempts a set detail = null
    from deliveries d
    where d.tenant = p_tenant and d.notification = any (p_notifications)
      and a.tenant = d.tenant and a.delivery = d.id and a.detail is not null
$$;

do $$
declare signature text;
begin
  foreach signature in array array['sealing_keys_of(text[], uuid[])', 'erase_keys(text, text, timestamptz)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_router', signature);
  end loop;
end $$;
grant execute on function sealing_keys_of(text[], uuid[]) to carillon_gateway, carillon_delivery;

-- Who catches up is shown what is sealed as well: the gateway opens it.
create or replace view feed_log as
  select l.tenant, l.room, o.epoch, l.seq, l.at, n.id, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority,
    n.metadata, n.data, n.extras, n.accepted_at, n.traceparent, e.rooms, e.epochs, e.seqs,
    n.expires_at, n.collapse_key,
    case when l.kind = 1 then l.notification end as withdrawn, case when l.kind = 1 then l.type end as withdrawn_because,
    n.sealed
  from room_log l
  join room_heads o on o.tenant = l.tenant and o.room = l.room
  left join notifications n on n.tenant = l.tenant and n.id = l.notification and l.kind = 0 and n.erased_at is null
    and (l.expires_at is null or l.expires_at > now())
  left join lateral (
    select array_agg(x.room) as rooms, array_agg(h.epoch) as epochs, array_agg(x.seq) as seqs
    from room_log x join room_heads h on h.tenant = x.tenant and h.room = x.room
    where x.tenant = l.tenant and x.notification = l.notification and x.kind = l.kind and (n.id is not null or l.kind = 1)
  ) e on true;
