-- name: beat
select presence_beat($1, $2, $3) as alive;

-- name: report
select * from presence_report($1, $2::jsonb);

-- name: sweep
select * from presence_sweep($1, $2);

-- name: choose
select * from presence_choose($1, $2, $3, $4, $5);

-- name: since
select * from presence_since($1, $2, $3);

-- name: sizes
select tenant, members from presence_sizes($1, $2);

-- name: total
select count(*) as total from presence_now where tenant = $1 and status <> 'OFFLINE';

-- name: by_role
select role, count(distinct s.user_id) as people
from presence_sockets s join presence_now p on p.tenant = s.tenant and p.user_id = s.user_id, unnest(s.roles) as role
where s.tenant = $1 and s.home = $1 and p.status <> 'OFFLINE'
group by role order by role;

-- name: people
-- Those who were asked for, else the first who are online.
select user_id, status, custom_status, last_seen from presence_now
where tenant = $1 and (user_id = any ($2::text[]) or ($2::text[] is null and status <> 'OFFLINE'))
order by user_id limit $3;

-- name: sockets
select s.user_id, sum(s.sockets)::int as sockets,
  array(select distinct name from presence_sockets o, unnest(o.sessions) as name
        where o.tenant = $1 and o.home = $1 and o.user_id = s.user_id order by name) as sessions
from presence_sockets s
where s.tenant = $1 and s.home = $1 and ($2::text[] is null or s.user_id = any ($2))
group by s.user_id order by s.user_id limit $3;
