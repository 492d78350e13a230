-- name: others
-- The next data keys that another master key than $1 wraps, behind ($2, $3).
select tenant, user_id, id, master, wrapped from sealing_keys
where master <> $1 and (tenant, id) > ($2, $3)
order by tenant, id limit $4
for no key update

-- name: rewrap
update sealing_keys k set master = $1, wrapped = w.wrapped
from unnest($2::text[], $3::uuid[], $4::bytea[]) as w (tenant, id, wrapped)
where k.tenant = w.tenant and k.id = w.id
