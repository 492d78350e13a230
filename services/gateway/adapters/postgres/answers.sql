-- Answers to agents' questions. What names a tenant runs under row-level security.

-- name: answer
-- $3 notification, $4 value, $5 the event to the agent: no row when it was answered before.
insert into responses (tenant, user_id, notification, value, event) values ($1, $2, $3, $4, $5)
on conflict do nothing returning at;

-- name: audit
-- $3 action, $4 subject.
insert into audit_trail (tenant, actor, action, subject) values ($1, 'user:' || $2, $3, $4);

-- name: answered
-- $2 notification.
select user_id, value, at from responses where tenant = $1 and notification = $2;

-- name: waiting
-- $1 no younger than, $2 how many: answers of all tenants that no agent has been sent.
select tenant, notification, event from responses_waiting($1, $2);

-- name: told
-- $1 tenant, $2 notification.
select response_told($1, $2);
