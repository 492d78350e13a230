-- What tenants say of notification types, laid over the shipped ones. A tenant's catalogue has one version for all its
-- types; every change begins a new one, and nothing that was said before is lost: a notification keeps the version that
-- it was planned by.

create table catalogue_heads (
  tenant text primary key,
  version bigint not null,
  changed_at timestamptz not null default clock_timestamp()
);
create index catalogue_heads_changed on catalogue_heads (changed_at);

create table notification_types (
  tenant text not null,
  key text not null,
  version bigint not null,                  -- the tenant's catalogue version that this began with
  until bigint,                             -- and the one that it ended with; null: in force
  document jsonb not null,                  -- a type of the tenant, or what differs from the shipped type of this key
  actor text not null,
  valid_from timestamptz not null default clock_timestamp(),
  valid_to timestamptz,
  primary key (tenant, key, version),
  check ((until is null) = (valid_to is null))
);
create unique index notification_types_in_force on notification_types (tenant, key) where until is null;

-- The catalogues that were shipped, so that what was planned by an older one can be explained by it.
create table catalogue_releases (
  version text primary key,
  types jsonb not null,
  first_used_at timestamptz not null default clock_timestamp()
);

grant select, insert, update on catalogue_heads, notification_types to carillon_ingest;
grant select, insert on catalogue_releases to carillon_router;
grant select on catalogue_heads, notification_types, catalogue_releases to carillon_operator, carillon_feed;

do $$
declare name text;
begin
  foreach name in array array['catalogue_heads', 'notification_types'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy workers on %I to carillon_ingest, carillon_operator, carillon_feed
                    using (true) with check (true)', name);
  end loop;
end $$;

-- The catalogues that changed since p_since, with the types in force: one row a type, and one with a null key for a
-- tenant that has none any more.
create function catalogue_changes(p_since timestamptz)
returns table (tenant text, version bigint, changed_at timestamptz, key text, document text)
language sql stable security definer set search_path = public, pg_temp as $$
  select h.tenant, h.version, h.changed_at, n.key, n.document::text
  from catalogue_heads h
  left join notification_types n on n.tenant = h.tenant and n.until is null
  where h.changed_at > p_since
  order by h.tenant, n.key
$$;

alter function catalogue_changes(timestamptz) owner to carillon_feed;
revoke all on function catalogue_changes(timestamptz) from public;
grant execute on function catalogue_changes(timestamptz)
  to carillon_ingest, carillon_router, carillon_gateway, carillon_delivery;
