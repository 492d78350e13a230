-- When people are told: a tenant's defaults, quiet hours, digests, throttles, expiry, collapse keys, urgency.

-- What a tenant decides for its people: one row a version, the open one is in force.
-- The document is libs.schemas.preferences.TenantPreferences.
create table tenant_preferences (
  tenant text not null,
  version bigint not null,
  document jsonb not null,
  valid_from timestamptz not null default clock_timestamp(),
  valid_to timestamptz,
  primary key (tenant, version)
);
create unique index tenant_preferences_in_force on tenant_preferences (tenant) where valid_to is null;

-- Whoever may be undisturbed now, by their room: emissions to others need not look at preferences at all.
create index preferences_quiet on preferences (tenant, ('user:' || user_id))
  where valid_to is null and (document ? 'quietHours' or document ? 'snoozedUntil');

alter table notifications
  add column expires_at timestamptz,        -- nothing is sent or shown any more
  add column collapse_key text,             -- a newer one of the same key replaces it
  add column cancelled_at timestamptz;
alter table room_log add column if not exists expires_at timestamptz;
comment on column room_log.type is 'of a notification the catalogue key, of a control entry why: cancelled or replaced';

-- A delivery of state `digested` is an item of `digest`; the delivery whose id is `digest` itself is the one that is sent.
alter table deliveries
  drop constraint deliveries_state_check,
  add constraint deliveries_state_check check (
    state in ('planned', 'claimed', 'sending', 'sent', 'delivered', 'failed', 'bounced', 'suppressed', 'deferred',
              'digested', 'expired', 'cancelled', 'unknown')),
  add column digest uuid,
  add column urgency smallint not null default 2,          -- 0 first, 3 last
  add column only_offline boolean not null default false;  -- suppressed when the person is on a socket as it is claimed
create index deliveries_of_digest on deliveries (tenant, digest, created_at) where digest is not null;

-- What collects until `closes_at`, or until it is full; of a person, channel and key one collects at a time. Closing it
-- makes its delivery, which bears its id.
create table digests (
  tenant text not null,
  id uuid not null default gen_random_uuid(),
  user_id text not null,
  channel text not null,
  key text not null,                        -- hourly, daily, weekly, or a type and what it collects by
  reason text not null,                     -- why it collects: a code of docs/errors.md
  items int not null default 0,             -- ever put into it, also those that were cancelled since
  max_items int not null,
  urgency smallint not null default 2,      -- of its most urgent item
  opened_at timestamptz not null default clock_timestamp(),
  closes_at timestamptz not null,
  closed_at timestamptz,
  outcome text check (outcome in ('planned', 'suppressed', 'empty')),
  primary key (tenant, id),
  check ((closed_at is null) = (outcome is null))
) with (fillfactor = 80);
create unique index digests_open on digests (tenant, user_id, channel, key)
  where closed_at is null and items < max_items;
create index digests_due on digests (closes_at) where closed_at is null;
create index digests_due_of_tenant on digests (tenant, closes_at) where closed_at is null;

-- When a person was last sent a type on a channel: as many times as the throttle looks back upon.
create table throttles (
  tenant text not null,
  user_id text not null,
  channel text not null,
  type text not null,
  taken timestamptz[] not null default '{}',   -- oldest first
  idle_after timestamptz not null default clock_timestamp(),  -- from then on the row says nothing
  primary key (tenant, user_id, channel, type)
) with (fillfactor = 70);
create index throttles_idle on throttles (idle_after);

-- The newest notification of a collapse key in a room.
create table collapse_keys (
  tenant text not null,
  room text not null,
  key text not null,
  notification uuid not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, room, key)
) with (fillfactor = 80);
create index collapse_keys_by_time on collapse_keys (at);

-- What the members of a group are collected by, and how urgent it is.
alter table expansions
  add column digest_key text not null default '',
  add column urgency smallint not null default 2;

-- Events that are not to be told yet. An event for people on different clocks is one row for each time; the first bears
-- the event's own id. `record` is the libs.schemas.records.AcceptedEvent as it goes on its topic when it is due. The
-- rows stay: each is an event that the router took and did not write as a notification.
create table scheduled (
  tenant text not null,
  id uuid not null,                         -- of the notification that it becomes
  event_id uuid not null,                   -- of the event
  event text not null,
  source_topic text not null,               -- where it came from: noti or http
  due_at timestamptz not null,
  record bytea,                             -- null once it was handed on or cancelled
  state text not null default 'waiting' check (state in ('waiting', 'handed-on', 'cancelled')),
  traceparent text,
  key bytea,                                -- of the Kafka record
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
) with (fillfactor = 80);
create index scheduled_due on scheduled (due_at) where state = 'waiting';
create index scheduled_due_of_tenant on scheduled (tenant, due_at) where state = 'waiting';
create index scheduled_of_event on scheduled (tenant, event_id);

-- Requests to cancel. Ingest writes them, the router carries them out; one that finds nothing stays, and takes effect
-- when its notification comes.
create table cancellations (
  tenant text not null,
  id uuid not null,                         -- of the event
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  look_at timestamptz not null default clock_timestamp(),  -- when the router looks for it
  done_at timestamptz,
  primary key (tenant, id)
);
create index cancellations_open on cancellations (look_at) where done_at is null;
create index cancellations_by_time on cancellations (requested_at);

do $$
declare name text;
begin
  foreach name in array array['tenant_preferences', 'digests', 'throttles', 'collapse_keys', 'scheduled',
                              'cancellations'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy workers on %I to carillon_ingest, carillon_router, carillon_delivery,
                    carillon_operator using (true) with check (true)', name);
  end loop;
end $$;
create policy tenant_only on tenant_preferences to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true)))
  with check (tenant = (select current_setting('carillon.tenant', true)));

grant select on tenant_preferences to carillon_router;
grant select, insert, update on tenant_preferences to carillon_gateway, carillon_ingest;
grant select, insert, update on digests, scheduled to carillon_router;
grant select, insert, update, delete on throttles, collapse_keys to carillon_router;
grant update (cancelled_at) on notifications to carillon_router;
grant select, insert, update, delete on cancellations to carillon_router;
grant select, insert on cancellations to carillon_ingest;
grant select on scheduled, digests to carillon_ingest;
grant select on digests to carillon_delivery;
