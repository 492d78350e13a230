-- What an Idempotency-Key stands for.

-- name: reserve
-- The key is new, or what it stood for is so old that nothing of it is left: it stands for this request now.
insert into idempotency_keys (tenant, key, body_hash, id, expires_at)
values ($1, $2, $3, $4, clock_timestamp() + $5::interval)
on conflict (tenant, key) do update
  set body_hash = excluded.body_hash, id = excluded.id, created_at = clock_timestamp(), expires_at = excluded.expires_at
  where idempotency_keys.expires_at < clock_timestamp()
returning id, body_hash

-- name: find
select id, body_hash from idempotency_keys where tenant = $1 and key = $2

-- name: purge
delete from idempotency_keys
where (tenant, key) in (select tenant, key from idempotency_keys where expires_at < clock_timestamp() limit 10000)
