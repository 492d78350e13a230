-- What people keep over the gateway: the devices that push reaches them on, and their answers to agents' questions.

-- Devices -----------------------------------------------------------------------------------------------------------
create policy own_only on devices to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)))
  with check (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)));
grant select, insert, update, delete on devices to carillon_gateway;
create index devices_by_token on devices using hash (token);

-- A browser or telephone on which somebody else was signed in before is theirs no more: nothing of one person is to be
-- shown to the next.
create function device_taken_over(p_platform text, p_token text) returns void
language sql security definer set search_path = public, pg_temp as $$
  delete from devices
  where tenant = current_setting('carillon.tenant') and user_id <> current_setting('carillon.reader')
    and platform = p_platform and token = p_token
$$;
grant select, delete on devices to carillon_feed;

-- Answers -----------------------------------------------------------------------------------------------------------
-- One for each question, whoever of those asked was first. The rows are the outbox to the agent as well.
create table responses (
  tenant text not null,
  notification uuid not null,
  user_id text not null,
  value text not null,
  at timestamptz not null default clock_timestamp(),
  event jsonb,                              -- what the agent is to be sent; null once Kafka has it
  primary key (tenant, notification)
);
create index responses_untold on responses (at) where event is not null;

alter table responses enable row level security;
alter table responses force row level security;
create policy workers on responses to carillon_operator, carillon_feed using (true) with check (true);
create policy tenant_only on responses for select to carillon_gateway
  using (tenant = (select current_setting('carillon.tenant', true)));
create policy own_only on responses for insert to carillon_gateway
  with check (tenant = (select current_setting('carillon.tenant', true))
         and user_id = (select current_setting('carillon.reader', true)));
grant select, insert on responses to carillon_gateway;
grant select, update on responses to carillon_feed;

create function lifecycle_of_responses() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into lifecycle_outbox (tenant, notification, channel, user_id, state)
  select tenant, notification, 'in-app', user_id, 'answered' from added;
  return null;
end $$;
alter function lifecycle_of_responses() owner to carillon_feed;
revoke execute on function lifecycle_of_responses() from public;
create trigger lifecycle after insert on responses
  referencing new table as added for each statement execute function lifecycle_of_responses();

-- Answers that no agent has been sent yet, of all tenants; and those that Kafka has.
create function responses_waiting(p_before timestamptz, p_limit int)
returns table (tenant text, notification uuid, event jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
  select r.tenant, r.notification, r.event from responses r
  where r.event is not null and r.at <= p_before order by r.at limit p_limit
$$;
create function response_told(p_tenant text, p_notification uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
  update responses set event = null where tenant = p_tenant and notification = p_notification
$$;

-- The audit trail ---------------------------------------------------------------------------------------------------
create policy own_only on audit_trail for insert to carillon_gateway
  with check (tenant = (select current_setting('carillon.tenant', true))
         and actor = 'user:' || (select current_setting('carillon.reader', true)));
grant insert on audit_trail to carillon_gateway;

do $$
declare signature text;
begin
  foreach signature in array array[
    'device_taken_over(text, text)', 'responses_waiting(timestamptz, int)', 'response_told(text, uuid)'] loop
    execute format('alter function %s owner to carillon_feed', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to carillon_gateway', signature);
  end loop;
end $$;
