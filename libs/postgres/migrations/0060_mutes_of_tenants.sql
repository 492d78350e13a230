-- What a tenant's document says of in-app holds for whoever did not choose. It is kept like a person's mutes, as times:
-- a row for each type under the user id '', never one for each person.
alter table mutes add column hidden boolean not null default true;
comment on column mutes.user_id is 'empty: what the tenant says for everybody';
comment on column mutes.hidden is
  'of a person false: they want it, whatever the tenant says; of a tenant false: nobody can hide it';

-- What people chose before, as far as it stands there by type.
insert into mutes (tenant, user_id, type, hidden, since)
select p.tenant, p.user_id, t.key, false, p.valid_from
from preferences p
cross join lateral jsonb_each(p.document -> 'types') t
where p.valid_to is null and 'true'::jsonb in (t.value -> 'in-app', t.value -> 'in-app' -> 'enabled')
on conflict do nothing;

create policy of_the_tenant on mutes to carillon_gateway
  using (user_id = '' and tenant = (select current_setting('carillon.tenant', true)))
  with check (user_id = '' and tenant = (select current_setting('carillon.tenant', true)));

-- The times at which a type was hidden from a reader: what they muted, and what the tenant hides and they did not want;
-- less what the tenant lets nobody hide.
create function muted_spans(p_tenant text, p_reader text)
returns table (type text, since timestamptz, until timestamptz)
language sql stable as $$
  select said.type, lower(s.span), upper(s.span)
  from (
    select m.type,
      range_agg(tstzrange(m.since, m.until)) filter (where m.user_id <> '' and m.hidden) as muted,
      range_agg(tstzrange(m.since, m.until)) filter (where m.user_id <> '' and not m.hidden) as wanted,
      range_agg(tstzrange(m.since, m.until)) filter (where m.user_id = '' and m.hidden) as off,
      range_agg(tstzrange(m.since, m.until)) filter (where m.user_id = '' and not m.hidden) as kept
    from mutes m
    where m.tenant = p_tenant and m.user_id in (p_reader, '') and (m.until is null or m.until > m.since)
    group by m.type
  ) said
  cross join unnest(
    coalesce(muted, '{}') + (coalesce(off, '{}') - coalesce(wanted, '{}')) - coalesce(kept, '{}')) as s (span)
$$;
revoke all on function muted_spans(text, text) from public;
grant execute on function muted_spans(text, text)
  to carillon_gateway, carillon_feed, carillon_ingest, carillon_operator;

-- Of readers who chose something what is hidden from them (a null type: nothing); of everybody else what is hidden from
-- the reader '' of their tenant: once, however many they are.
create or replace function feed_mutes(p_tenants text[], p_readers text[])
returns table (tenant text, reader text, type text, since timestamptz, until timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.t, k.u, s.type, s.since, s.until
  from unnest(p_tenants, p_readers) as k (t, u)
  left join lateral muted_spans(k.t, k.u) s on true
  where exists (select from mutes m where m.tenant = k.t and m.user_id = k.u)
  union all
  select k.t, '', s.type, s.since, s.until
  from (select distinct t from unnest(p_tenants) as t) k
  cross join lateral muted_spans(k.t, '') s
$$;

-- Which version of its document is in force, of the tenants that have one.
create function feed_tenant_versions(p_tenants text[])
returns table (tenant text, version bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.tenant, p.version from tenant_preferences p where p.tenant = any (p_tenants) and p.valid_to is null
$$;
grant select on tenant_preferences to carillon_feed;
create policy feeding on tenant_preferences for select to carillon_feed using (true);
alter function feed_tenant_versions(text[]) owner to carillon_feed;
revoke all on function feed_tenant_versions(text[]) from public;
grant execute on function feed_tenant_versions(text[]) to carillon_gateway;
