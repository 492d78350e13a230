-- name: begin
select tenant, room, epoch, seq from feed_begin($1, $2);

-- name: begin_states
select tenant, reader, epoch, seq from feed_state_begin($1, $2);

-- name: heads
select tenant, room, epoch, seq from feed_heads($1, $2);

-- name: state_heads
select tenant, reader, epoch, seq from feed_state_heads($1, $2);

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
