-- When the picture of a mail was first fetched. A tenant that wants it says {"opens": true} in its settings.
alter table deliveries add column opened_at timestamptz;
grant update (opened_at) on deliveries to carillon_ingest;

create or replace function lifecycle_of_deliveries() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select tenant, min((change).seq), count(*), array_agg(change)
  from (
    select a.tenant, (nextval('lifecycle_sequence'), a.notification, a.id, a.channel, a.user_id,
                      case when a.state = b.state then 'opened' else a.state end,
                      case when a.state <> b.state then a.reason end)::lifecycle_change as change
    from after a join before b on b.tenant = a.tenant and b.id = a.id
    where a.state = b.state and a.opened_at is not null and b.opened_at is null
      or a.state <> b.state
        and (a.state in ('sent', 'delivered', 'failed', 'bounced', 'suppressed', 'expired', 'cancelled', 'unknown')
             or a.state = 'planned' and b.state in ('failed', 'bounced', 'suppressed', 'expired', 'cancelled'))
  ) c
  group by tenant;
  return null;
end $$;
