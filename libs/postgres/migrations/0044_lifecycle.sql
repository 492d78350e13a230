-- What became of notifications, on its way to the topic notification.lifecycle. The rows are written by triggers in the
-- transaction that changed the state, whichever service that is, and are removed once Kafka has them: none is lost, and
-- none tells of what was rolled back. `seq` rises under the lock of the delivery's row, so the states of one delivery
-- stand in their order, behind the planning of its notification.
create table lifecycle_outbox (
  tenant text not null,
  seq bigint generated always as identity,
  notification uuid not null,
  delivery uuid,
  channel text,
  user_id text,
  state text not null,                      -- libs.schemas.records.LifecycleState
  reason text,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index lifecycle_outbox_order on lifecycle_outbox (seq);

alter table lifecycle_outbox enable row level security;
alter table lifecycle_outbox force row level security;
create policy workers on lifecycle_outbox to carillon_delivery, carillon_operator, carillon_feed
  using (true) with check (true);
grant select, delete on lifecycle_outbox to carillon_delivery;
grant insert on lifecycle_outbox to carillon_feed;

create function lifecycle_of_notifications() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, channel, state)
  select tenant, id, case when rooms <> '{}' then 'in-app' end, 'planned' from added;
  return null;
end $$;

create function lifecycle_of_planning() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, delivery, channel, user_id, state, reason)
  select tenant, notification, id, channel, user_id, case state when 'suppressed' then state else 'planned' end, reason
  from added where state in ('planned', 'deferred', 'suppressed');
  return null;
end $$;

-- Claims and retries are delivery's own affair; a replay of what had ended is told.
create function lifecycle_of_deliveries() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, delivery, channel, user_id, state, reason)
  select a.tenant, a.notification, a.id, a.channel, a.user_id, a.state, a.reason
  from after a join before b on b.tenant = a.tenant and b.id = a.id
  where a.state <> b.state
    and (a.state in ('sent', 'delivered', 'failed', 'bounced', 'suppressed', 'expired', 'cancelled', 'unknown')
         or a.state = 'planned' and b.state in ('failed', 'bounced', 'suppressed', 'expired', 'cancelled'));
  return null;
end $$;

create function lifecycle_of_first_receipts() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, channel, user_id, state)
  select tenant, notification, 'in-app', user_id, 'read' from added where read;
  return null;
end $$;

create function lifecycle_of_receipts() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, channel, user_id, state)
  select a.tenant, a.notification, 'in-app', a.user_id, 'read'
  from after a join before b on b.tenant = a.tenant and b.user_id = a.user_id and b.notification = a.notification
  where a.read and b.read is not true;
  return null;
end $$;

do $$
declare name text;
begin
  foreach name in array array['notifications', 'planning', 'deliveries', 'first_receipts', 'receipts'] loop
    execute format('alter function lifecycle_of_%s() owner to carillon_feed', name);
    execute format('revoke execute on function lifecycle_of_%s() from public', name);
  end loop;
end $$;

create trigger lifecycle after insert on notifications
  referencing new table as added for each statement execute function lifecycle_of_notifications();
create trigger lifecycle_planned after insert on deliveries
  referencing new table as added for each statement execute function lifecycle_of_planning();
create trigger lifecycle_changed after update on deliveries
  referencing old table as before new table as after for each statement execute function lifecycle_of_deliveries();
create trigger lifecycle_read after insert on receipts
  referencing new table as added for each statement execute function lifecycle_of_first_receipts();
create trigger lifecycle_read_later after update on receipts
  referencing old table as before new table as after for each statement execute function lifecycle_of_receipts();
