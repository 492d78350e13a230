-- Control entries of room logs as withdrawals: which notification, why, and where else it is withdrawn. And what an
-- emission says of its time and its collapse key. A notification that is over is not shown any more.
create or replace view feed_log as
  select l.tenant, l.room, o.epoch, l.seq, l.at, n.id, n.event, n.type, n.name, n.title, n.message, n.severity, n.priority,
    n.metadata, n.data, n.extras, n.accepted_at, n.traceparent, e.rooms, e.epochs, e.seqs,
    n.expires_at, n.collapse_key,
    case when l.kind = 1 then l.notification end as withdrawn, case when l.kind = 1 then l.type end as withdrawn_because
  from room_log l
  join room_heads o on o.tenant = l.tenant and o.room = l.room
  left join notifications n on n.tenant = l.tenant and n.id = l.notification and l.kind = 0
    and (l.expires_at is null or l.expires_at > now())
  left join lateral (
    select array_agg(x.room) as rooms, array_agg(h.epoch) as epochs, array_agg(x.seq) as seqs
    from room_log x join room_heads h on h.tenant = x.tenant and h.room = x.room
    where x.tenant = l.tenant and x.notification = l.notification and x.kind = l.kind and (n.id is not null or l.kind = 1)
  ) e on true;
