-- Opening and closing membership intervals, for the directory (ingest) and for claims in tokens (gateway).
-- Both lock the heads of the rooms, in the order of their keys, so that the seq of an interval is exact.

create function lock_heads(p_tenants text[], p_rooms text[])
returns table (tenant text, room text, seq bigint)
language plpgsql as $$
begin
  insert into room_heads (tenant, room)
    select distinct t, r from unnest(p_tenants, p_rooms) as k (t, r) order by t, r
    on conflict do nothing;
  return query
    select h.tenant, h.room, h.seq
    from room_heads h
    where (h.tenant, h.room) in (select t, r from unnest(p_tenants, p_rooms) as k (t, r))
    order by h.tenant, h.room
    for update;
end $$;

create function raise_membership_versions(p_tenants text[], p_users text[])
returns table (tenant text, user_id text, version bigint)
language sql as $$
  insert into membership_versions as v (tenant, user_id, version)
    select distinct t, u, 1 from unnest(p_tenants, p_users) as k (t, u) order by t, u
    on conflict (tenant, user_id) do update set version = v.version + 1
    returning v.tenant, v.user_id, v.version
$$;

-- Opens intervals where the person has none open, or closes and opens where the role or the source changes.
-- A claim opens an interval only where the directory has never known one: whom the directory removed, a token that
-- was issued before does not bring back. Returns the people whose memberships changed, with their new version.
create function memberships_open(p_tenants text[], p_users text[], p_rooms text[], p_roles text[], p_source text)
returns table (tenant text, user_id text, version bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  wanted record;
  current memberships;
  moment timestamptz;
  changed_tenants text[] := '{}';
  changed_users text[] := '{}';
begin
  for wanted in
    select distinct on (k.t, k.u, k.r) k.t, k.u, k.r, k.role, h.seq
    from lock_heads(p_tenants, p_rooms) h
    join unnest(p_tenants, p_users, p_rooms, p_roles) as k (t, u, r, role) on h.tenant = k.t and h.room = k.r
    order by k.t, k.u, k.r
  loop
    moment := coalesce(moment, clock_timestamp());  -- after the locks: no later than what is appended next
    select m.* into current from memberships m
      where m.tenant = wanted.t and m.user_id = wanted.u and m.room = wanted.r and m.left_at is null;
    if found and (p_source = 'claim'
                  or (current.source = 'directory' and current.role is not distinct from wanted.role)) then
      continue;
    end if;
    if p_source = 'claim' and exists (
        select from memberships m
        where m.tenant = wanted.t and m.user_id = wanted.u and m.room = wanted.r and m.source = 'directory') then
      continue;
    end if;
    update memberships m set left_at = moment, left_seq = wanted.seq
      where m.tenant = wanted.t and m.user_id = wanted.u and m.room = wanted.r and m.left_at is null;
    insert into memberships (tenant, user_id, room, joined_at, joined_seq, role, source)
      values (wanted.t, wanted.u, wanted.r, moment, wanted.seq, wanted.role, p_source);
    changed_tenants := changed_tenants || wanted.t;
    changed_users := changed_users || wanted.u;
  end loop;
  return query select * from raise_membership_versions(changed_tenants, changed_users);
end $$;

-- Closes the open intervals; what is not open stays as it is. An interval of the directory is left behind even where
-- only a claim was open, so that the claim does not open again.
create function memberships_close(p_tenants text[], p_users text[], p_rooms text[])
returns table (tenant text, user_id text, version bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  unwanted record;
  changed_tenants text[] := '{}';
  changed_users text[] := '{}';
begin
  for unwanted in
    select distinct k.t, k.u, k.r, h.seq
    from lock_heads(p_tenants, p_rooms) h
    join unnest(p_tenants, p_users, p_rooms) as k (t, u, r) on h.tenant = k.t and h.room = k.r
    order by k.t, k.u, k.r
  loop
    update memberships m
      set left_at = greatest(clock_timestamp(), m.joined_at), left_seq = unwanted.seq, source = 'directory'
      where m.tenant = unwanted.t and m.user_id = unwanted.u and m.room = unwanted.r and m.left_at is null;
    if found then
      changed_tenants := changed_tenants || unwanted.t;
      changed_users := changed_users || unwanted.u;
    end if;
  end loop;
  return query select * from raise_membership_versions(changed_tenants, changed_users);
end $$;

alter function memberships_open(text[], text[], text[], text[], text) owner to carillon_feed;
alter function memberships_close(text[], text[], text[]) owner to carillon_feed;
revoke all on function memberships_open(text[], text[], text[], text[], text) from public;
revoke all on function memberships_close(text[], text[], text[]) from public;
grant execute on function memberships_open(text[], text[], text[], text[], text) to carillon_ingest, carillon_gateway;
grant execute on function memberships_close(text[], text[], text[]) to carillon_ingest, carillon_gateway;
