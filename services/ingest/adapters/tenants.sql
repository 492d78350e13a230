-- The tenants whose events are taken.

-- name: enabled
select tenant from tenants where disabled_at is null

-- name: enabled_among
select tenant from tenants where tenant = any ($1::text[]) and disabled_at is null

-- name: upsert
-- A tenant that was disabled is enabled again.
insert into tenants (tenant, name, settings) values ($1, $2, $3::jsonb)
on conflict (tenant) do update set name = excluded.name, settings = excluded.settings, disabled_at = null
returning tenant, name, settings::text as settings, created_at, disabled_at

-- name: find
select tenant, name, settings::text as settings, created_at, disabled_at from tenants where tenant = $1

-- name: disable
update tenants set disabled_at = clock_timestamp() where tenant = $1 and disabled_at is null returning tenant
