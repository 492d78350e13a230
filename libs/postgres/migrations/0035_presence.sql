-- Who is here. A person is online while any gateway has a socket of theirs; what they chose (AWAY, BUSY, OFFLINE) overlays it.

-- Gateways that hold sockets. One that stops renewing is swept: its people go, unless they are elsewhere too. A gateway
-- that was swept by mistake comes back under another name.
create table presence_gateways (
  gateway text primary key,
  alive_until timestamptz not null,
  swept boolean not null default false
);

-- The sockets of a person at a gateway. `home` is the tenant of their token: a row of another tenant is there because
-- the two share their people (a realm), and tells that tenant only that the person is here.
create table presence_sockets (
  tenant text not null,
  user_id text not null,
  gateway text not null,
  home text not null,
  sockets int not null,
  roles text[] not null,
  sessions text[] not null,
  primary key (tenant, user_id, gateway, home)
);
create index presence_sockets_of_gateway on presence_sockets (gateway, home, user_id);

create table presence (
  tenant text not null,
  user_id text not null,
  online boolean not null default false,    -- there is a socket
  chosen text not null default 'ONLINE' check (chosen in ('ONLINE', 'AWAY', 'BUSY', 'OFFLINE')),
  custom_status text,
  last_seen timestamptz,
  version bigint not null default 0,
  previous text not null default 'OFFLINE', -- the status before this version
  by_choice boolean not null default false, -- whether this version is the person's own doing; else they came or went
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id)
) with (fillfactor = 80);
create index presence_changes on presence (tenant, changed_at);

create view presence_now with (security_invoker = true) as
  select tenant, user_id, case when online then chosen else 'OFFLINE' end as status, custom_status, last_seen, version,
    previous, by_choice, changed_at
  from presence;

-- Tenants whose settings name the same realm share their people: a user id means the same person in all of them.
create index tenants_of_realm on tenants ((settings ->> 'realm')) where settings ->> 'realm' <> '';

do $$
declare name text;
begin
  foreach name in array array['presence', 'presence_sockets'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy workers on %I to carillon_router, carillon_delivery, carillon_operator, carillon_feed
                    using (true) with check (true)', name);
    execute format('create policy tenant_only on %I to carillon_gateway
                    using (tenant = (select current_setting(''carillon.tenant'', true)))', name);
  end loop;
end $$;
grant select on presence, presence_sockets, presence_now to carillon_gateway, carillon_operator;
grant select on presence, presence_now to carillon_router, carillon_delivery;
grant select, insert, update, delete on presence, presence_sockets, presence_gateways to carillon_feed;
grant select on presence_now, tenants to carillon_feed;

-- In which tenants a person shows: that of their token, and those of the same realm whose directory knows them.
create function presence_tenants(p_homes text[], p_users text[])
returns table (home text, user_id text, tenant text)
language sql stable as $$
  select k.h, k.u, k.h from unnest(p_homes, p_users) as k (h, u)
  union
  select k.h, k.u, o.tenant
  from unnest(p_homes, p_users) as k (h, u)
  join tenants t on t.tenant = k.h and t.settings ->> 'realm' <> ''
  join tenants o on o.settings ->> 'realm' = t.settings ->> 'realm' and o.settings ->> 'realm' <> ''
    and o.tenant <> t.tenant and o.disabled_at is null
  join users u on u.tenant = o.tenant and u.user_id = k.u
$$;

-- Locks people in the order of their keys, so that two gateways that report the same person take turns.
create function presence_lock(p_tenants text[], p_users text[]) returns void
language plpgsql as $$
begin
  insert into presence (tenant, user_id)
    select distinct t, u from unnest(p_tenants, p_users) as k (t, u) order by t, u
    on conflict do nothing;
  perform from presence p
    where (p.tenant, p.user_id) in (select t, u from unnest(p_tenants, p_users) as k (t, u))
    order by p.tenant, p.user_id for update;
end $$;

-- Looks again whether locked people have a socket anywhere; returns those for whom that has changed.
create function presence_settle(p_tenants text[], p_users text[]) returns setof presence_now
language sql as $$
  with settled as (
    update presence p
      set online = not p.online, version = p.version + 1, by_choice = false,
        previous = case when p.online then p.chosen else 'OFFLINE' end,
        chosen = case when p.online then p.chosen else 'ONLINE' end,  -- who comes is ONLINE, whatever they last chose
        last_seen = clock_timestamp(), changed_at = clock_timestamp()
      where (p.tenant, p.user_id) in (select t, u from unnest(p_tenants, p_users) as k (t, u))
        and p.online <> exists (select from presence_sockets s where s.tenant = p.tenant and s.user_id = p.user_id)
      returning p.*
  )
  select tenant, user_id, case when online then chosen else 'OFFLINE' end, custom_status, last_seen, version, previous,
    by_choice, changed_at
  from settled
$$;

-- Whether the gateway still counts as alive, for p_lease from now on.
create function presence_beat(p_gateway text, p_lease interval, p_new boolean) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if p_new then
    insert into presence_gateways (gateway, alive_until) values (p_gateway, clock_timestamp() + p_lease);
    return true;
  end if;
  update presence_gateways set alive_until = clock_timestamp() + p_lease where gateway = p_gateway and not swept;
  return found;
end $$;

-- Sets how many sockets a gateway has of each of these people: [{tenant, user, sockets, roles, sessions}]. Returns what
-- others may notice of it. Raises no_data_found when the gateway was swept.
create function presence_report(p_gateway text, p_people jsonb) returns setof presence_now
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_homes text[];
  v_users text[];
  v_tenants text[];
begin
  perform from presence_gateways where gateway = p_gateway and not swept for share;
  if not found then
    raise no_data_found using message = 'the gateway was swept';
  end if;
  with people as (select x.tenant, x."user" from jsonb_to_recordset(p_people) as x (tenant text, "user" text)),
    shown as (
      select m.home, m.user_id, m.tenant
      from presence_tenants(array(select tenant from people), array(select "user" from people)) m
      union
      select s.home, s.user_id, s.tenant from presence_sockets s
      join people x on s.home = x.tenant and s.user_id = x."user" where s.gateway = p_gateway
    )
  select array_agg(home), array_agg(user_id), array_agg(tenant) into v_homes, v_users, v_tenants from shown;
  perform presence_lock(v_tenants, v_users);
  delete from presence_sockets s
    using unnest(v_homes, v_users, v_tenants) as k (h, u, t)
    where s.gateway = p_gateway and s.tenant = k.t and s.user_id = k.u and s.home = k.h;
  insert into presence_sockets (tenant, user_id, gateway, home, sockets, roles, sessions)
    select distinct k.t, k.u, p_gateway, k.h, x.sockets,
      array(select jsonb_array_elements_text(x.roles)), array(select jsonb_array_elements_text(x.sessions))
    from unnest(v_homes, v_users, v_tenants) as k (h, u, t)
    join jsonb_to_recordset(p_people) as x (tenant text, "user" text, sockets int, roles jsonb, sessions jsonb)
      on x.tenant = k.h and x."user" = k.u
    where x.sockets > 0;
  return query select * from presence_settle(v_tenants, v_users);
end $$;

-- One page of people whose gateway has gone silent. While the database was away nobody could renew, so a lease counts
-- as over only when the database has been up for longer than one.
create function presence_sweep(p_lease interval, p_limit int) returns setof presence_now
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_gateway text;
  v_users text[];
  v_tenants text[];
begin
  select g.gateway into v_gateway from presence_gateways g
    where g.alive_until < clock_timestamp() and pg_postmaster_start_time() < clock_timestamp() - p_lease
    order by g.alive_until limit 1 for update skip locked;
  if not found then
    return;
  end if;
  update presence_gateways set swept = true where gateway = v_gateway;
  select array_agg(s.tenant), array_agg(s.user_id) into v_tenants, v_users from (
    select tenant, user_id from presence_sockets where gateway = v_gateway order by home, user_id limit p_limit) s;
  if v_users is null then
    delete from presence_gateways where gateway = v_gateway;
    return;
  end if;
  perform presence_lock(v_tenants, v_users);
  delete from presence_sockets s
    using unnest(v_tenants, v_users) as k (t, u)
    where s.gateway = v_gateway and s.tenant = k.t and s.user_id = k.u;
  return query select * from presence_settle(v_tenants, v_users);
end $$;

-- What a person chose, in every tenant where they show. With p_keep the custom status stays as it is.
create function presence_choose(p_tenant text, p_user text, p_status text, p_custom text, p_keep boolean)
returns setof presence_now
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_users text[];
  v_tenants text[];
begin
  select array_agg(m.user_id), array_agg(m.tenant) into v_users, v_tenants
    from presence_tenants(array[p_tenant], array[p_user]) m;
  perform presence_lock(v_tenants, v_users);
  return query
    with chosen as (
      update presence p
        set previous = p.chosen, chosen = p_status, by_choice = true, version = p.version + 1,
          custom_status = case when p_keep then p.custom_status else p_custom end,
          last_seen = clock_timestamp(), changed_at = clock_timestamp()
        where (p.tenant, p.user_id) in (select t, u from unnest(v_tenants, v_users) as k (t, u)) and p.online
          and (p.chosen <> p_status or not (p_keep or p.custom_status is not distinct from p_custom))
        returning p.*
    )
    select c.tenant, c.user_id, c.chosen, c.custom_status, c.last_seen, c.version, c.previous, c.by_choice, c.changed_at
    from chosen c;
end $$;

-- What has changed in these tenants since the time that goes with each; the oldest first.
create function presence_since(p_tenants text[], p_since timestamptz[], p_limit int) returns setof presence_now
language sql stable security definer set search_path = public, pg_temp as $$
  select c.*
  from unnest(p_tenants, p_since) as k (t, since)
  cross join lateral (
    select * from presence_now p where p.tenant = k.t and p.changed_at > k.since order by p.changed_at limit p_limit
  ) c
$$;

-- How many members each tenant has, counted up to p_limit.
create function presence_sizes(p_tenants text[], p_limit int) returns table (tenant text, members bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, (select count(*) from (
    select from memberships m where m.tenant = k.t and m.room = 'tenant' and m.left_at is null limit p_limit) x)
  from unnest(p_tenants) as k (t)
$$;

do $$
declare signature text;
begin
  foreach signature in array array['presence_tenants(text[], text[])', 'presence_lock(text[], text[])',
                                   'presence_settle(text[], text[])'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
  end loop;
  foreach signature in array array['presence_beat(text, interval, boolean)', 'presence_report(text, jsonb)',
                                   'presence_sweep(interval, int)',
                                   'presence_choose(text, text, text, text, boolean)',
                                   'presence_since(text[], timestamptz[], int)', 'presence_sizes(text[], int)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;
