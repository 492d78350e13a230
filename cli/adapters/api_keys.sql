-- name: create
insert into api_keys (tenant, key_id, hash, name, scopes, tenants, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: register_tenant
-- A key of a tenant that nobody has named yet makes the tenant known.
insert into tenants (tenant, name) values ($1, $1) on conflict do nothing

-- name: list
select tenant, key_id, name, scopes, tenants, created_at, expires_at, revoked_at
from api_keys
where $1::text is null or tenant = $1
order by tenant, created_at

-- name: revoke
-- The first revocation stays: a second one changes nothing.
update api_keys set revoked_at = coalesce(revoked_at, now()) where key_id = $1 returning tenant

-- name: audit
insert into audit_trail (tenant, actor, action, subject, detail) values ($1, $2, $3, $4, '{}')
