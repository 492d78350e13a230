-- Addresses that nothing is sent to: they bounced, their person complained or opted out, or an operator said so.
-- The address itself is not kept: its hash finds it, and a masked form shows which it was.
create table suppressions (
  tenant text not null,
  channel text not null check (channel in ('email', 'sms')),
  hash bytea not null,                      -- address_hash
  masked text not null,
  reason text not null check (reason in ('bounced', 'complained', 'opted-out', 'unsubscribed', 'manual')),
  source text not null,                     -- who said so: key:{id}, user:{id}, or a provider's name
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, channel, hash)
);
create index suppressions_by_time on suppressions (tenant, created_at, hash);

alter table suppressions enable row level security;
alter table suppressions force row level security;
create policy workers on suppressions to carillon_ingest, carillon_router, carillon_delivery, carillon_operator
  using (true) with check (true);
grant select, insert, update, delete on suppressions to carillon_ingest;
grant select on suppressions to carillon_router, carillon_delivery;

-- However an address is written, it is the same one; in another tenant or on another channel it is another.
create function address_hash(tenant text, channel text, address text) returns bytea
language sql immutable parallel safe
return sha256(convert_to(
  tenant || chr(31) || channel || chr(31) ||
  case channel when 'email' then lower(btrim(address)) else regexp_replace(address, '[\s().\-/]', '', 'g') end, 'UTF8'));

-- The channels on which nothing may be sent to a person of these addresses.
create function suppressed_channels(of_tenant text, email text, phone text) returns text[]
language sql stable parallel safe
return array(
  select s.channel from suppressions s
  where s.tenant = of_tenant
    and (s.channel = 'email' and s.hash = address_hash(of_tenant, 'email', email)
         or s.channel = 'sms' and s.hash = address_hash(of_tenant, 'sms', phone)));

-- Attempts say why, and which provider may have a delivery: a repeat of an uncertain one goes to the same.
alter table delivery_attempts add column reason text;
alter table deliveries add column provider text;
create index deliveries_by_provider_message on deliveries (provider_message_id) where provider_message_id is not null;

-- What ingest does with the words of providers, and with unsubscribe links.
grant update (state, reason, next_attempt_at, claim_token, lease_until, updated_at) on deliveries to carillon_ingest;
grant select, insert, update on preferences to carillon_ingest;

-- A tenant's own endpoints, kept over the API.
alter table webhook_endpoints add column description text;
alter table webhook_endpoints add column updated_at timestamptz not null default clock_timestamp();
grant select, insert, update, delete on webhook_endpoints to carillon_ingest;
-- `endpoint 7`: no id holds a blank, so nobody's id is ever taken for an endpoint's.
update deliveries set user_id = 'endpoint ' || substr(user_id, 10)
where channel in ('webhook', 'slack', 'discord', 'teams') and user_id like 'endpoint:%';

-- Which provider a tenant's deliveries go to first: {"providers": {"email": ["ses", "smtp"]}} in tenants.settings.
