-- The lifecycle tells of what "mark all read" has marked.
-- What the reader of this transaction has marked read with the rest. What had a mark of its own is told by the trigger on
-- `receipts`.
create function lifecycle_read_together(p_notifications uuid[]) returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into lifecycle_outbox (tenant, seq, size, changes)
  select current_setting('carillon.tenant'), min((change).seq), count(*), array_agg(change)
  from (
    select (nextval('lifecycle_sequence'), k.id, null, 'in-app', current_setting('carillon.reader'), 'read',
            null)::lifecycle_change as change
    from unnest(p_notifications) as k (id)
    where not exists (
      select from receipts r
      where r.tenant = current_setting('carillon.tenant') and r.user_id = current_setting('carillon.reader')
        and r.notification = k.id and r.read)
  ) c
  having count(*) > 0
$$;
alter function lifecycle_read_together(uuid[]) owner to carillon_feed;
revoke execute on function lifecycle_read_together(uuid[]) from public;
grant execute on function lifecycle_read_together(uuid[]) to carillon_gateway;
