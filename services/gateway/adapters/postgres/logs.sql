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

-- name: moved
-- As `heads`, of those that do not end at the epochs and seqs given (of rooms $5, $6, of state logs $7, $8).
select tenant, room, null::text as reader, h.epoch, h.seq
from feed_heads($1, $2) h
join unnest($1::text[], $2::text[], $5::bigint[], $6::bigint[]) k (tenant, room, epoch, seq) using (tenant, room)
where (h.epoch, h.seq) <> (k.epoch, k.seq)
union all
select tenant, null, reader, h.epoch, h.seq
from feed_state_heads($3, $4) h
join unnest($3::text[], $4::text[], $7::bigint[], $8::bigint[]) k (tenant, reader, epoch, seq) using (tenant, reader)
where (h.epoch, h.seq) <> (k.epoch, k.seq);

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
