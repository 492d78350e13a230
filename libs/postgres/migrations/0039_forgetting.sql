-- What goes with a person who is deleted from the directory: what they chose, what they did to their inbox, and whether
-- they were here. Should somebody of the same id come later, nothing of it is theirs.
grant select, delete on mutes, preferences, receipts, room_watermarks, state_log, user_heads to carillon_feed;

create function forget_people(p_tenants text[], p_users text[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  name text;
begin
  -- As everywhere, the head of the person's log first, and people in the order of their keys.
  perform from user_heads h
    where (h.tenant, h.user_id) in (select t, u from unnest(p_tenants, p_users) as k (t, u))
    order by h.tenant, h.user_id for update;
  foreach name in array array['preferences', 'mutes', 'receipts', 'acknowledgements', 'room_watermarks', 'state_log',
                              'user_heads', 'presence_sockets', 'presence'] loop
    execute format('delete from %I where (tenant, user_id) in (select t, u from unnest($1, $2) as k (t, u))', name)
      using p_tenants, p_users;
  end loop;
end $$;
alter function forget_people(text[], text[]) owner to carillon_feed;
revoke all on function forget_people(text[], text[]) from public;
grant execute on function forget_people(text[], text[]) to carillon_ingest;
