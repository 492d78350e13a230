-- Who follows the link in a mail: a new version of their preferences.

-- name: known
-- Locked, so that of two changes the second sees what the first did.
select user_id from users where tenant = $1 and user_id = $2 for update

-- name: in_force
select version, document from preferences where tenant = $1 and user_id = $2 and valid_to is null for update

-- name: close
update preferences set valid_to = clock_timestamp() where tenant = $1 and user_id = $2 and valid_to is null

-- name: open
insert into preferences (tenant, user_id, version, document) values ($1, $2, $3, $4)

-- name: suppress
-- Only the hash of the address is known, so no masked form of it can be shown.
insert into suppressions (tenant, channel, hash, masked, reason, source) values ($1, $2, $3, '***', 'unsubscribed', $4)
on conflict do nothing
returning hash
