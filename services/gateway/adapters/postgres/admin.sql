-- For administrators, of the tenant that the transaction names.

-- name: log
-- $1–$3 the line after which to begin, $4 limit, $5 user, $6 event, $7 type, $8 from, $9 to.
select * from admin_log($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: stats
select admin_stats($1, $2);

-- name: readers
-- $1 notification, $2 after this user, $3 limit.
select * from admin_readers($1, $2, $3);
