-- name: of
-- The gateway slots in which somebody listens to each of these rooms.
select tenant, room, slot from listening_slots($1, $2) order by slot
