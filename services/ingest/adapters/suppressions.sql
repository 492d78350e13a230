-- Suppressions: an address is found by its hash and shown by its mask.

-- name: add
-- Who suppressed it first stays noted.
insert into suppressions (tenant, channel, hash, masked, reason, source)
values ($1, $2, address_hash($1, $2, $3), $4, $5, $6)
on conflict (tenant, channel, hash) do nothing
returning hash, channel, masked, reason, source, created_at

-- name: find
select hash, channel, masked, reason, source, created_at from suppressions
where tenant = $1 and channel = $2 and hash = address_hash($1, $2, $3)

-- name: list
-- The newest first, behind the one that the last page ended with.
select hash, channel, masked, reason, source, created_at from suppressions
where tenant = $1 and ($2::text is null or channel = $2)
  and ($3::timestamptz is null or (created_at, hash) < ($3, $4::bytea))
order by created_at desc, hash desc limit $5

-- name: remove
delete from suppressions where tenant = $1 and hash = $2
returning hash, channel, masked, reason

-- name: of_number
-- The tenants that know somebody of this number.
select distinct tenant from users where regexp_replace(phone, '[\s().\-/]', '', 'g') = $1

-- name: opted_in
-- START takes back a STOP, and nothing else.
delete from suppressions
where tenant = $1 and channel = 'sms' and hash = address_hash($1, 'sms', $2) and reason = 'opted-out'
returning hash
