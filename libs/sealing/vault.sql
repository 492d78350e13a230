-- name: keys
-- The key in use of each person, or tenant ('' as its person), and where there is none the one that is offered. None is
-- used any more that is older than the person's erasure, is wrapped by a master key not among $6, or has sealed for a tenant
-- for so long that its random nonces might meet. Several that were made at once are as good as one.
with wanted as materialized (
  select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bytea[])
    as w (tenant, user_id, id, master, wrapped)
), found as materialized (
  select distinct on (k.tenant, k.user_id) k.tenant, k.user_id, k.id, k.master, k.wrapped
  from wanted w
  join sealing_keys k on k.tenant = w.tenant and k.user_id = w.user_id
  where k.master = any ($6::text[]) and (k.user_id <> '' or k.created_at > now() - interval '30 days')
    and not exists (
      select from erasures e
      where e.tenant = k.tenant and e.user_id = k.user_id and e.requested_at >= k.created_at)
  order by k.tenant, k.user_id, k.created_at desc
), made as (
  insert into sealing_keys (tenant, user_id, id, master, wrapped)
  select w.tenant, w.user_id, w.id, w.master, w.wrapped from wanted w
  where not exists (select from found f where f.tenant = w.tenant and f.user_id = w.user_id)
  returning tenant, user_id, id, master, wrapped
)
select * from found union all select * from made

-- name: named
select tenant, user_id, id, master, wrapped from sealing_keys_of($1, $2)

-- name: foreign
-- Master keys that are none of $1.
select distinct master from sealing_keys where master <> all ($1::text[]) order by master
