-- name: begin
-- Of rooms ($1, $2), and of readers' state logs ($3, $4): one of `room` and `reader` is null.
select tenant, room, null::text as reader, epoch, seq from feed_begin($1, $2)
union all
select tenant, null, reader, epoch, seq from feed_state_begin($3, $4);

-- name: heads
-- As `begin`, of what has been begun.
select tenant, room, null::text as reader, epoch, seq from feed_heads($1, $2)
union all
select tenant, null, reader, epoch, seq from feed_state_heads($3, $4);

-- name: entries
select * from feed_entries($1, $2, $3, $4, $5);

-- name: states
select * from feed_states($1, $2, $3, $4, $5);

-- name: newest
select * from feed_newest($1, $2, $3, $4, $5, $6);

-- name: delivered
select feed_delivered($1, $2, $3, $4);

-- name: acknowledged
select feed_acknowledged($1, $2, $3, $4);

-- name: unacknowledged
select tenant, reader, room, seq from feed_unacknowledged($1, $2, $3, $4);
