-- Scheduled records are bytes, and may hold what jsonb refuses (an escaped NUL): those are not looked into, so that one
-- of them does not stop every erasure of its tenant.
create or replace function erase_person(p_tenant text, p_user text, p_deliveries uuid[], p_rest boolean) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update delivery_attempts set detail = null
    where tenant = p_tenant and delivery = any (p_deliveries) and detail is not null;
  update deliveries set provider_message_id = null, reached = '{}'
    where tenant = p_tenant and id = any (p_deliveries) and (provider_message_id is not null or reached <> '{}')
      and state not in ('claimed', 'sending');
  if not p_rest or exists (select from users where tenant = p_tenant and user_id = p_user) then
    return;
  end if;
  update responses set value = '', event = null where tenant = p_tenant and user_id = p_user and value <> '';
  with waiting as materialized (
    select id, convert_from(record, 'UTF8') as text from scheduled where tenant = p_tenant and state = 'waiting'
  ), named as materialized (
    select id, text::jsonb -> 'recipients' as named from waiting where strpos(text, '\u0000') = 0
  )
  update scheduled s set state = 'cancelled', record = null, updated_at = clock_timestamp()
    from named w
    where s.tenant = p_tenant and s.id = w.id and s.state = 'waiting'
      and w.named -> 'userIds' = jsonb_build_array(p_user) and not exists (
        select from jsonb_each(w.named) e
        where e.key not in ('userIds', 'excludeUserIds') and e.value not in ('[]', 'false', 'null'));
  delete from throttles where tenant = p_tenant and user_id = p_user;
  delete from collapse_keys where tenant = p_tenant and room = 'user:' || p_user;
  perform forget_people(array[p_tenant], array[p_user]);
end $$;
