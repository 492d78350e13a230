-- Where a tenant's notifications are posted to: its own webhooks, and the incoming webhooks of Slack, Discord and Teams.
-- A delivery to one has the recipient `endpoint:{endpoint_id}` (libs/runtime/ids.py). The address of a chat's incoming
-- webhook is a secret in itself, so the router, which needs neither, may read neither address nor secrets.
create table webhook_endpoints (
  tenant text not null,
  endpoint_id text not null,
  channel text not null check (channel in ('webhook', 'slack', 'discord', 'teams')),
  url text not null,
  events text[] not null default '{}',      -- which of the four events; {} is all
  types text[] not null default '{}',       -- which catalogue keys; {} is all
  -- Standard Webhooks secrets (whsec_…), the newest first. Every one of them signs: to rotate, put the new one first
  -- and take the old one out when the receiver knows the new one.
  secrets text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  disabled_at timestamptz,
  disabled_reason text,                     -- a code of docs/errors.md
  primary key (tenant, endpoint_id),
  check (channel <> 'webhook' or secrets <> '{}')
);

alter table webhook_endpoints enable row level security;
alter table webhook_endpoints force row level security;
create policy workers on webhook_endpoints to carillon_ingest, carillon_router, carillon_delivery, carillon_operator
  using (true) with check (true);
grant select (tenant, endpoint_id, channel, events, types, disabled_at) on webhook_endpoints to carillon_router;
grant select, update (disabled_at, disabled_reason) on webhook_endpoints to carillon_delivery;
grant select, insert, update, delete on webhook_endpoints to carillon_operator;
