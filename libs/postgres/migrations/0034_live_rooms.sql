-- Rooms without a log: who listens to them, and who decides who may join them.

-- The gateway slots in which somebody listens to a room, of leases that are in force.
create function listening_slots(p_tenants text[], p_rooms text[])
returns table (tenant text, room text, slot int)
language sql stable as $$
  select i.tenant, i.room, i.slot
  from unnest(p_tenants, p_rooms) as k (t, r)
  join room_interest i on i.tenant = k.t and i.room = k.r
  join gateway_slots s on s.slot = i.slot and s.epoch = i.slot_epoch and s.lease_until > clock_timestamp()
$$;
revoke all on function listening_slots(text[], text[]) from public;
grant execute on function listening_slots(text[], text[]) to carillon_ingest, carillon_router, carillon_gateway;

-- Who may join the resources of a type, as the application says it. Any one of the three ways lets somebody in:
-- `members` (rooms whose readers may; `{id}` stands for the resource's id), a grant signed with `grant_key`, or the
-- application itself, asked at `url`. Without a row nobody may.
create table resource_policies (
  tenant text not null,
  resource_type text not null,              -- `*` for types that have no row of their own
  members text[] not null default '{}',
  grant_key text,                           -- HS256
  url text,
  secrets text[] not null default '{}',     -- whsec_…, as those of webhook_endpoints: each of them signs
  cache_seconds int not null default 60,    -- for how long an answer from `url` holds at most
  client_events boolean not null default false,  -- whether those inside may send each other events of their own
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, resource_type),
  check (url is null or secrets <> '{}')
);
alter table resource_policies enable row level security;
alter table resource_policies force row level security;
create policy workers on resource_policies to carillon_ingest, carillon_operator using (true) with check (true);
create policy tenant_only on resource_policies to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true)));
grant select, insert, update, delete on resource_policies to carillon_ingest;
grant select on resource_policies to carillon_gateway;
grant select (tenant, resource_type, members, url, cache_seconds, client_events, updated_at) on resource_policies
  to carillon_operator;
