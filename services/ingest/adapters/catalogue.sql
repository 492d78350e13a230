-- What tenants say of notification types.

-- name: head
select version from catalogue_heads where tenant = $1

-- name: said
-- In force in the state of this number; null: now.
select key, document::text as document from notification_types
where tenant = $1 and (($2::bigint is null and until is null) or (version <= $2 and (until is null or until > $2)))
order by key

-- name: raise_head
-- The next number, if nobody else has taken it: the row stays locked until the change is written.
insert into catalogue_heads as h (tenant, version) values ($1, 1)
on conflict (tenant) do update set version = h.version + 1, changed_at = clock_timestamp() where h.version = $2
returning version

-- name: end
update notification_types set until = $3, valid_to = clock_timestamp()
where tenant = $1 and key = $2 and until is null

-- name: begin
insert into notification_types (tenant, key, version, document, actor) values ($1, $2, $3, $4::jsonb, $5)

-- name: versions
select version, until, document::text as document, actor, valid_from, valid_to
from notification_types where tenant = $1 and key = $2 order by version desc limit 100
