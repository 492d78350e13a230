-- What people keep of their own. Every statement runs under row-level security. $1 tenant, $2 reader.

-- name: devices
select device_id, platform, updated_at from devices where tenant = $1 and user_id = $2 order by updated_at desc, device_id;

-- name: take_over
-- $1 platform, $2 token.
select device_taken_over($1, $2);

-- name: put_device
-- $3 id, $4 platform, $5 token, $6 keys, $7 how many devices a person may have: no row when that would be more. The
-- same address under another id of the person's is replaced.
with same as (
  delete from devices where tenant = $1 and user_id = $2 and token = $5 and device_id <> $3
), others as (
  select count(*) as count from devices where tenant = $1 and user_id = $2 and device_id <> $3 and token <> $5
)
insert into devices as d (tenant, user_id, device_id, platform, token, keys)
select $1, $2, $3, $4, $5, $6 from others where count < $7::int
on conflict (tenant, user_id, device_id) do update
set platform = excluded.platform, token = excluded.token, keys = excluded.keys, updated_at = clock_timestamp()
returning device_id, platform, updated_at;

-- name: delete_device
delete from devices where tenant = $1 and user_id = $2 and device_id = $3 returning device_id;

-- name: topics
select substr(room, 7) as topic, joined_at from memberships
where tenant = $1 and user_id = $2 and left_at is null and room like 'topic:%' order by room;

-- name: subscribe
-- $3 the topic's room, $4 how many a person may have: null when that would be more; the new version of the person's
-- memberships, 0 when it was subscribed already.
select case
  when (select count(*) from memberships m
        where m.tenant = $1 and m.user_id = $2 and m.left_at is null and m.room like 'topic:%' and m.room <> $3) < $4::int
  then coalesce((select version from memberships_open(array[$1], array[$2], array[$3], array[null::text], 'directory')), 0)
end;

-- name: unsubscribe
-- $3 the topic's room: the new version, 0 when it was not subscribed.
select coalesce((select version from memberships_close(array[$1], array[$2], array[$3])), 0);
