-- Requests to erase what was said to a person.

-- name: request
-- Asked again, it begins again: also what was said since is meant.
insert into erasures as e (tenant, user_id, requested_by) values ($1, $2, $3)
on conflict (tenant, user_id) do update
set requested_by = excluded.requested_by, requested_at = excluded.requested_at, look_at = excluded.look_at, seq = 0,
  delivery = excluded.delivery, erased_at = null, done_at = null

-- name: find
select tenant, user_id, requested_at, erased_at, done_at, notifications from erasures where tenant = $1 and user_id = $2
