-- The tables of Carillon. Every primary key of tenant data starts with the tenant, so that the schema can be
-- distributed by tenant. No foreign keys: the hot tables are written in batches whose order is fixed by key.

-- Roles -------------------------------------------------------------------------------------------------------------
-- Services log in as a user that is a member of their role and take the role at once (libs/postgres/pool.py).
-- carillon_feed owns the functions that read across tenants by (tenant, room) pairs; nobody logs in as it.
do $$
declare name text;
begin
  foreach name in array array['carillon_ingest', 'carillon_router', 'carillon_gateway', 'carillon_delivery',
                              'carillon_operator', 'carillon_feed'] loop
    begin
      execute format('create role %I nologin', name);
    exception when duplicate_object or unique_violation then null;  -- roles belong to the cluster, not the database
    end;
  end loop;
end $$;

grant usage on schema public to carillon_ingest, carillon_router, carillon_gateway, carillon_delivery,
  carillon_operator, carillon_feed;

-- Tenants and keys --------------------------------------------------------------------------------------------------
create table tenants (
  tenant text primary key,
  name text,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);
insert into tenants (tenant, name) values ('default', 'Default');

create table api_keys (
  tenant text not null,
  key_id text not null,
  hash bytea not null,                      -- sha-256 of the secret part
  name text not null,
  scopes text[] not null,
  tenants text[] not null default '{}',     -- further tenants that the key may name; {*} is a platform key
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant, key_id)
);
create unique index api_keys_by_id on api_keys (key_id);

create table idempotency_keys (
  tenant text not null,
  key text not null,
  body_hash bytea not null,
  id uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,          -- later than the longest retention of a Kafka topic that carries the id
  primary key (tenant, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

-- Directory ---------------------------------------------------------------------------------------------------------
create table users (
  tenant text not null,
  user_id text not null,
  email text,
  phone text,
  display_name text,
  locale text,
  timezone text,
  attributes jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id)
);

create table orgs (
  tenant text not null,
  org_id text not null,
  name text,
  attributes jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, org_id)
);

-- Who may read a group room, and from which seq to which: an interval. A changed role closes one interval and opens
-- the next at the same seq, so nothing is hidden in between. At most one interval of a person in a room is open.
create table memberships (
  tenant text not null,
  user_id text not null,
  room text not null,                       -- org:…, dept:…, role:…, tenant, broadcast
  joined_at timestamptz not null,
  joined_seq bigint not null,               -- sees seq > joined_seq
  left_at timestamptz,
  left_seq bigint,                          -- and seq <= left_seq
  role text,                                -- of org rooms: member, admin, owner, …
  source text not null check (source in ('directory', 'claim')),
  primary key (tenant, user_id, room, joined_at),
  check ((left_at is null) = (left_seq is null))
);
create unique index memberships_open on memberships (tenant, user_id, room) where left_at is null;
create index memberships_of_room on memberships (tenant, room, user_id) include (role, joined_at, left_at);

create table membership_versions (
  tenant text not null,
  user_id text not null,
  version bigint not null,
  primary key (tenant, user_id)
);

create table devices (
  tenant text not null,
  user_id text not null,
  device_id text not null,
  platform text not null check (platform in ('web', 'fcm', 'apns')),
  token text not null,
  keys jsonb not null default '{}',
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id, device_id)
);

-- One row a version; the open one is in force. The document is {channels: {email: false}, types: {key: {email: true}}}.
create table preferences (
  tenant text not null,
  user_id text not null,
  version bigint not null,
  document jsonb not null,
  valid_from timestamptz not null default clock_timestamp(),
  valid_to timestamptz,
  primary key (tenant, user_id, version)
);
create unique index preferences_in_force on preferences (tenant, user_id) where valid_to is null;

-- Notifications and rooms -------------------------------------------------------------------------------------------
create table notifications (
  tenant text not null,
  id uuid not null,
  event text not null,
  type text not null,                       -- catalogue key
  name text,
  title text,                               -- as rendered for the inbox
  message text,
  severity text not null,
  priority text,
  metadata jsonb not null,
  data jsonb,
  extras jsonb not null default '{}',       -- actor, related, actionUrl, tags, channels, explicit recipients
  audience jsonb not null,                  -- what the recipients were resolved to, and by which rule
  rooms text[] not null,                    -- in the fixed order of libs/schemas/rooms.py
  catalogue_version text not null,
  decisions_planned int not null,           -- room entries + delivery rows, without those of expansions
  traceparent text,
  source jsonb not null,
  accepted_at timestamptz not null,
  planned_at timestamptz not null,          -- as of when preferences and memberships were read
  primary key (tenant, id)
);

create table room_heads (
  tenant text not null,
  room text not null,
  epoch bigint not null default (1 + floor(random() * 2147483646))::bigint,  -- fits a double: JavaScript reads it
  seq bigint not null default 0,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, room)
) with (fillfactor = 70);

-- Append-only. Rows are written under the lock of the head, so commit order is sequence order.
create table room_log (
  tenant text not null,
  room text not null,
  seq bigint not null,
  kind smallint not null default 0,         -- 0 notification, 1 control (cancel, collapse): never counts as unread
  type text,
  -- The rooms before this one in the notification, where a reader of this room might read one of them as well; null in
  -- its first room and in every user:… room, which nobody else reads; {*} where they are too many for an index row.
  prior text[],
  at timestamptz not null,                  -- never runs backwards within a room
  notification uuid not null,
  -- everything that counting unread needs, so that it reads the index alone
  primary key (tenant, room, seq) include (kind, type, prior, notification)
);
create index room_log_of_notification on room_log (tenant, notification);

-- What a person did to single notifications: sparse. `read` null leaves it to the watermark.
create table receipts (
  tenant text not null,
  user_id text not null,                    -- the reader: a user id, or agent:{id}
  notification uuid not null,
  room text not null,                       -- where the notification exists for the reader
  seq bigint not null,
  read boolean,
  read_at timestamptz,
  deleted_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id, notification)
);
create index receipts_by_position on receipts (tenant, user_id, room, seq) include (read, deleted_at);

create table room_watermarks (
  tenant text not null,
  user_id text not null,
  room text not null,
  read_seq bigint not null default 0,
  read_at timestamptz,
  delivered_seq bigint not null default 0,
  delivered_at timestamptz,
  primary key (tenant, user_id, room)
) with (fillfactor = 80);

create table user_heads (
  tenant text not null,
  user_id text not null,
  epoch bigint not null default (1 + floor(random() * 2147483646))::bigint,
  seq bigint not null default 0,
  primary key (tenant, user_id)
) with (fillfactor = 70);

create table state_log (
  tenant text not null,
  user_id text not null,
  seq bigint not null,
  operation text not null,                  -- libs.schemas.records.StateOperation
  notification uuid,
  positions jsonb,                          -- read_all: {room: seq}
  at timestamptz not null,
  primary key (tenant, user_id, seq)
);

-- Gateways ----------------------------------------------------------------------------------------------------------
create table gateway_slots (
  slot int primary key,                     -- the partition of gateway.inbox
  epoch bigint not null,                    -- rises with every lease: an older epoch's interest is void
  holder text,                              -- which gateway process
  lease_until timestamptz
);

-- Lost when PostgreSQL crashes: the row of tenant '' and room '' is how a gateway sees that (feed break).
create unlogged table room_interest (
  tenant text not null,
  room text not null,
  slot int not null,
  slot_epoch bigint not null,
  primary key (tenant, room, slot)
);
create index room_interest_of_slot on room_interest (slot);

-- Work --------------------------------------------------------------------------------------------------------------
create table expansions (
  tenant text not null,
  notification uuid not null,
  room text not null,
  channels text[] not null,
  as_of timestamptz not null,               -- members at this time are meant
  cursor text not null default '',          -- the last user id that has been decided
  planned bigint not null default 0,        -- decisions written so far
  created_at timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  primary key (tenant, notification, room)
);
create index expansions_open on expansions (tenant, created_at) where done_at is null;

create table deliveries (
  tenant text not null,
  id uuid not null,                         -- libs.runtime.ids.delivery_id
  notification uuid not null,
  user_id text not null,
  channel text not null,
  state text not null check (state in ('planned', 'claimed', 'sending', 'sent', 'delivered', 'failed', 'bounced',
                                       'suppressed', 'deferred', 'expired', 'cancelled', 'unknown')),
  reason text not null,                     -- why it is in this state: a code of docs/errors.md
  attempts int not null default 0,
  next_attempt_at timestamptz,              -- planned: due from then on
  claim_token uuid,
  lease_until timestamptz,
  expires_at timestamptz,
  provider_message_id text,
  traceparent text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
) with (fillfactor = 80);
create index deliveries_of_notification on deliveries (tenant, notification);
create index deliveries_due on deliveries (channel, next_attempt_at) where state in ('planned', 'deferred');
create index deliveries_leased on deliveries (channel, lease_until) where state in ('claimed', 'sending');

create table delivery_attempts (
  tenant text not null,
  delivery uuid not null,
  attempt int not null,
  outcome text not null,                    -- sent, retry, failed, unknown
  code text,
  detail text,                              -- the provider's words, without content or addresses
  provider text not null,
  started_at timestamptz not null,
  duration_ms int not null,
  primary key (tenant, delivery, attempt)
);

-- Accounting: next_offset - start_offset = accepted + duplicates + dead + gaps, for every partition that ingest and
-- router read. A new generation begins when the broker's records are not the ones that were counted (another cluster,
-- or a topic that was made anew), so that old counts stay true.
create table progress (
  consumer text not null,                   -- ingest, router
  topic text not null,
  partition int not null,
  generation int not null,
  cluster text not null,                    -- the Kafka cluster's id
  start_offset bigint not null,
  next_offset bigint not null,
  accepted bigint not null default 0,       -- ingest: events handed on; router: notifications inserted
  duplicates bigint not null default 0,
  dead bigint not null default 0,           -- ingest: noti.invalid; router: events.dead
  gaps bigint not null default 0,           -- offsets without a record: transaction markers, or lost to retention
  updated_at timestamptz not null default clock_timestamp(),
  primary key (consumer, topic, partition, generation)
) with (fillfactor = 70);

create table audit_trail (
  tenant text not null,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(),
  actor text not null,                      -- key:{id} or user:{id}
  action text not null,
  subject text not null,
  detail jsonb not null default '{}',
  primary key (tenant, id)
);
create index audit_trail_by_time on audit_trail (tenant, at);

-- Grants: what each service needs, and no more ----------------------------------------------------------------------
grant select on tenants to carillon_ingest, carillon_router, carillon_gateway, carillon_delivery;
grant insert, update on tenants to carillon_ingest;
grant select, insert, update on api_keys to carillon_ingest;
grant select, insert, update, delete on idempotency_keys to carillon_ingest;
grant select, insert, update, delete on users, orgs, devices to carillon_ingest;
grant select, insert, update on memberships, membership_versions, room_heads to carillon_ingest;
grant select, insert, update on progress to carillon_ingest, carillon_router;
grant insert, select on audit_trail to carillon_ingest;
grant select on notifications, deliveries, delivery_attempts, expansions, room_log to carillon_ingest;

grant select on users, orgs, memberships, preferences, devices to carillon_router;
grant select, insert on notifications, room_log to carillon_router;
grant select, insert, update on room_heads, deliveries, expansions to carillon_router;
grant select on room_interest, gateway_slots to carillon_router;

grant select on users, orgs, memberships, notifications, room_heads, room_log, deliveries to carillon_gateway;
grant select, insert, update on receipts, room_watermarks, user_heads, preferences to carillon_gateway;
grant select, insert on state_log to carillon_gateway;
grant select, insert, update, delete on gateway_slots, room_interest to carillon_gateway;

grant select on notifications, users, devices, preferences to carillon_delivery;
grant select, update on deliveries to carillon_delivery;
grant select, insert on delivery_attempts to carillon_delivery;

grant select on all tables in schema public to carillon_operator;
grant select on users, memberships, membership_versions, notifications, room_heads, room_log, user_heads, state_log,
  receipts, room_watermarks to carillon_feed;
grant insert, update on memberships, membership_versions, room_heads, room_watermarks, user_heads to carillon_feed;

-- Row-level security ------------------------------------------------------------------------------------------------
-- The gateway serves people: it sees only rows of the tenant (and, of a person's own state, the person) that the
-- transaction names by set_config('carillon.tenant', …, true) and set_config('carillon.reader', …, true). The other
-- services work on batches of all tenants and are kept apart by their grants. The sub-selects are evaluated once a
-- statement instead of once a row.
do $$
declare name text;
begin
  foreach name in array array['users', 'orgs', 'memberships', 'notifications', 'room_heads', 'room_log', 'receipts',
                              'room_watermarks', 'user_heads', 'state_log', 'preferences', 'deliveries', 'devices',
                              'membership_versions', 'expansions', 'delivery_attempts', 'idempotency_keys',
                              'api_keys', 'audit_trail'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy workers on %I to carillon_ingest, carillon_router, carillon_delivery,
                    carillon_operator, carillon_feed using (true) with check (true)', name);
  end loop;
  foreach name in array array['users', 'orgs', 'memberships', 'notifications', 'room_heads', 'room_log',
                              'deliveries'] loop
    execute format('create policy tenant_only on %I to carillon_gateway
                    using (tenant = (select current_setting(''carillon.tenant'', true)))', name);
  end loop;
  foreach name in array array['receipts', 'room_watermarks', 'user_heads', 'state_log', 'preferences'] loop
    execute format('create policy own_only on %I to carillon_gateway
                    using (tenant = (select current_setting(''carillon.tenant'', true))
                           and user_id = (select current_setting(''carillon.reader'', true)))
                    with check (tenant = (select current_setting(''carillon.tenant'', true))
                           and user_id = (select current_setting(''carillon.reader'', true)))', name);
  end loop;
end $$;
