-- name: in_force
select version, document, valid_from from preferences where tenant = $1 and user_id = $2 and valid_to is null;

-- name: close
update preferences set valid_to = $3 where tenant = $1 and user_id = $2 and valid_to is null returning version;

-- name: open
insert into preferences (tenant, user_id, version, document, valid_from) values ($1, $2, $3, $4, $5);
