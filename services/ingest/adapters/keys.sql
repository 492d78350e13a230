-- API keys: only the hash of a secret is stored.

-- name: find
select tenant, key_id, hash, scopes, tenants, expires_at from api_keys where key_id = $1 and revoked_at is null

-- name: insert
insert into api_keys (tenant, key_id, hash, name, scopes, tenants, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning tenant, key_id, name, scopes, tenants, created_at, expires_at, revoked_at

-- name: list
select tenant, key_id, name, scopes, tenants, created_at, expires_at, revoked_at
from api_keys where tenant = $1 order by created_at, key_id

-- name: revoke
update api_keys set revoked_at = clock_timestamp()
where tenant = $1 and key_id = $2 and revoked_at is null
returning key_id
