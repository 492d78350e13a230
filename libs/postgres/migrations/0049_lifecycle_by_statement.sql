-- The lifecycle's outbox holds one row for each statement and tenant instead of one for each change: a third of what it
-- cost the router's transaction, and a fraction of what it costs to remove. Every change keeps a number of its own, drawn
-- while its delivery's row is locked, so that the states of one delivery stand in their order.
create type lifecycle_change as (
  seq bigint,
  notification uuid,
  delivery uuid,
  channel text,
  user_id text,
  state text,                               -- libs.schemas.records.LifecycleState
  reason text
);
create sequence lifecycle_sequence;
select setval('lifecycle_sequence', coalesce((select max(seq) from lifecycle_outbox), 0) + 1);

alter table lifecycle_outbox rename to lifecycle_rows;
alter index lifecycle_outbox_order rename to lifecycle_rows_order;
alter index lifecycle_outbox_pkey rename to lifecycle_rows_pkey;
create table lifecycle_outbox (
  tenant text not null,
  seq bigint not null,                      -- of the first change
  size int not null,                        -- how many changes
  changes lifecycle_change[] not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index lifecycle_outbox_order on lifecycle_outbox (seq);
alter table lifecycle_outbox alter column changes set storage external;  -- ids cannot be compressed: do not try
insert into lifecycle_outbox (tenant, seq, size, changes, at)
select tenant, seq, 1, array[(seq, notification, delivery, channel, user_id, state, reason)::lifecycle_change], at
from lifecycle_rows;
drop table lifecycle_rows;

alter table lifecycle_outbox enable row level security;
alter table lifecycle_outbox force row level security;
create policy workers on lifecycle_outbox to carillon_delivery, carillon_operator, carillon_feed
  using (true) with check (true);
grant select, delete on lifecycle_outbox to carillon_delivery;
grant insert on lifecycle_outbox to carillon_feed;
grant usage on sequence lifecycle_sequence to carillon_feed;

-- Each change on a line of its own, for who looks at it.
create view lifecycle_changes with (security_invoker = true) as
select o.tenant, o.at, c.* from lifecycle_outbox o cross join lateral unnest(o.changes) c;

create or replace function lifecycle_of_notifications() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select tenant, (nextval('lifecycle_sequence'), id, null, case when rooms <> '{}' then 'in-app' end, null, 'planned',
                    null)::lifecycle_change as change
    from added
  ) c
  group by tenant;
  return null;
end $$;

create or replace function lifecycle_of_planning() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select tenant, (nextval('lifecycle_sequence'), notification, id, channel, user_id,
                    case state when 'suppressed' then state else 'planned' end, reason)::lifecycle_change as change
    from added where state in ('planned', 'deferred', 'suppressed')
  ) c
  group by tenant;
  return null;
end $$;

-- Claims and retries are delivery's own affair; a replay of what had ended is told.
create or replace function lifecycle_of_deliveries() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select a.tenant, (nextval('lifecycle_sequence'), a.notification, a.id, a.channel, a.user_id, a.state,
                      a.reason)::lifecycle_change as change
    from after a join before b on b.tenant = a.tenant and b.id = a.id
    where a.state <> b.state
      and (a.state in ('sent', 'delivered', 'failed', 'bounced', 'suppressed', 'expired', 'cancelled', 'unknown')
           or a.state = 'planned' and b.state in ('failed', 'bounced', 'suppressed', 'expired', 'cancelled'))
  ) c
  group by tenant;
  return null;
end $$;

create or replace function lifecycle_of_first_receipts() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select tenant, (nextval('lifecycle_sequence'), notification, null, 'in-app', user_id, 'read',
                    null)::lifecycle_change as change
    from added where read
  ) c
  group by tenant;
  return null;
end $$;

create or replace function lifecycle_of_receipts() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select a.tenant, (nextval('lifecycle_sequence'), a.notification, null, 'in-app', a.user_id, 'read',
                      null)::lifecycle_change as change
    from after a join before b on b.tenant = a.tenant and b.user_id = a.user_id and b.notification = a.notification
    where a.read and b.read is not true
  ) c
  group by tenant;
  return null;
end $$;

create or replace function lifecycle_of_responses() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select tenant, (nextval('lifecycle_sequence'), notification, null, 'in-app', user_id, 'answered',
                    null)::lifecycle_change as change
    from added
  ) c
  group by tenant;
  return null;
end $$;
