-- name: progress
-- Every generation of every consumer: a few rows a partition.
select consumer, topic, partition, generation, cluster, start_offset, next_offset, accepted, duplicates, dead, gaps
from progress
order by consumer, topic, partition, generation

-- name: written
-- How many notifications there are of each event, and how many of them came through Kafka. An event that waits, or
-- waited, for its time was taken as well, once however many parts it is told in; what it became comes from `scheduled`.
-- An event for all tenants was taken once as well, and what each of them is told comes from `broadcast`. What was kept
-- long enough and is gone stands in `purged_events`.
select event, sum(events)::bigint as notifications,
  coalesce(sum(events) filter (where origin not in ('http', 'scheduled', 'broadcast')), 0)::bigint as from_noti
from (
  select event, coalesce(source ->> 'topic', '') as origin, count(*) as events from notifications group by 1, 2
  union all
  select event, source_topic, count(*) from scheduled where id = event_id group by 1, 2
  union all
  select event, source_topic, count(*) from broadcasts group by 1, 2
  union all
  select event, origin, events from purged_events
) taken
group by event

-- name: room_logs
-- Logs that have not every entry behind their floor (what was kept long enough and is gone) up to their head.
with logs as (
  select tenant, room, count(*) as entries, min(seq) as first, max(seq) as last
  from room_log group by tenant, room
), wrong as (
  select tenant, room, coalesce(l.entries, 0) as entries, coalesce(l.first, h.floor + 1) as first,
    coalesce(l.last, h.floor) as last, h.floor, h.seq as head, greatest(
      coalesce(h.seq - h.floor, 1) - coalesce(l.entries, 0), abs(coalesce(h.seq, 0) - coalesce(l.last, h.floor, 0)), 1) as amount
  from room_heads h full join logs l using (tenant, room)
  where h.seq is null or coalesce(l.entries, 0) <> h.seq - h.floor
    or coalesce(l.first, h.floor + 1) <> h.floor + 1 or coalesce(l.last, h.floor) <> h.seq
)
select tenant || '/' || room as subject,
  format('%s entries where %s are expected, from %s to %s, floor %s, head %s', entries, coalesce(head - floor, 0), first, last,
         coalesce(floor::text, 'missing'), coalesce(head::text, 'missing')) as detail,
  amount, sum(amount) over () as total
from wrong order by tenant, room limit $1

-- name: state_logs
-- The same for what people did to their inboxes.
with logs as (
  select tenant, user_id, count(*) as entries, min(seq) as first, max(seq) as last
  from state_log group by tenant, user_id
), wrong as (
  select tenant, user_id, coalesce(l.entries, 0) as entries, coalesce(l.first, h.floor + 1) as first,
    coalesce(l.last, h.floor) as last, h.floor, h.seq as head, greatest(
      coalesce(h.seq - h.floor, 1) - coalesce(l.entries, 0), abs(coalesce(h.seq, 0) - coalesce(l.last, h.floor, 0)), 1) as amount
  from user_heads h full join logs l using (tenant, user_id)
  where h.seq is null or coalesce(l.entries, 0) <> h.seq - h.floor
    or coalesce(l.first, h.floor + 1) <> h.floor + 1 or coalesce(l.last, h.floor) <> h.seq
)
select tenant || '/' || user_id as subject,
  format('%s entries where %s are expected, from %s to %s, floor %s, head %s', entries, coalesce(head - floor, 0), first, last,
         coalesce(floor::text, 'missing'), coalesce(head::text, 'missing')) as detail,
  amount, sum(amount) over () as total
from wrong order by tenant, user_id limit $1

-- name: decisions
-- Notifications that do not have exactly the decisions which were planned: one entry in each of their rooms, and a
-- delivery for every person and channel that was decided; that of a digest, or of a test, is none of a notification. One
-- aggregate over all four tables: the server spills it to disk when it is large.
with counted as (
  select tenant, id as notification, 1 as there, cardinality(rooms) as rooms, decisions_planned as planned,
    0 as entries, 0 as deliveries
  from notifications
  union all select tenant, notification, 0, 0, planned, 0, 0 from expansions
  union all select tenant, notification, 0, 0, 0, 1, 0 from room_log where kind = 0
  union all select tenant, notification, 0, 0, 0, 0, 1 from deliveries where notification <> id
), totals as (
  select tenant, notification, sum(there) as there, sum(rooms) as rooms, sum(planned) as planned,
    sum(entries) as entries, sum(deliveries) as deliveries
  from counted group by tenant, notification
), wrong as (
  select *, greatest(abs(planned - entries - deliveries), abs(rooms - entries), 1) as amount
  from totals where there <> 1 or rooms <> entries or planned <> entries + deliveries
)
select tenant || '/' || notification as subject,
  case when there = 0 then format('%s room entries and %s deliveries of a notification that is not there',
                                  entries, deliveries)
       else format('%s decisions planned, found %s entries in %s rooms and %s deliveries', planned, entries, rooms,
                   deliveries) end as detail,
  amount, sum(amount) over () as total
from wrong order by tenant, notification limit $1

-- name: deliveries
-- Deliveries that nothing will ever bring forward: neither terminal, nor due at some time, nor claimed with a lease.
with wrong as (
  select tenant, id, channel, state,
    case when reason = '' then 'has no reason'
         when state in ('planned', 'deferred') then 'is never due'
         when state = 'digested' then 'is collected nowhere'
         else 'is claimed without token or lease' end as fault
  from deliveries
  where reason = ''
     or (state = 'digested' and digest is null)
     or (state in ('planned', 'deferred') and next_attempt_at is null)
     or (state in ('claimed', 'sending') and (claim_token is null or lease_until is null))
)
select tenant || '/' || id as subject, format('%s, %s: %s', channel, state, fault) as detail, 1 as amount,
  count(*) over () as total
from wrong order by tenant, id limit $1

-- name: digests
-- Digests that hold fewer items than were put into them, more than fit, or were closed without the delivery that says
-- what became of them.
with counted as (
  select tenant, digest, count(*) filter (where id <> digest) as items, count(*) filter (where id = digest) as own
  from deliveries where digest is not null group by tenant, digest
), wrong as (
  select coalesce(d.tenant, c.tenant) as tenant, coalesce(d.id, c.digest) as id, coalesce(c.items, 0) as found,
    case when d.id is null then 'deliveries of a digest that is not there'
         when d.items <> coalesce(c.items, 0) then format('%s items were put into it, %s are there', d.items, c.items)
         when d.items > d.max_items then format('%s items where %s fit', d.items, d.max_items)
         else format('closed as %s, with %s deliveries of its own', coalesce(d.outcome, 'open'), coalesce(c.own, 0))
    end as fault,
    greatest(abs(coalesce(d.items, 0) - coalesce(c.items, 0)), 1) as amount
  from digests d full join counted c on c.tenant = d.tenant and c.digest = d.id
  where d.id is null or d.items <> coalesce(c.items, 0) or d.items > d.max_items
    or coalesce(c.own, 0) <> (coalesce(d.outcome, 'empty') <> 'empty')::int
)
select tenant || '/' || id as subject, fault as detail, amount, sum(amount) over () as total
from wrong order by tenant, id limit $1

-- name: examined
-- How much was looked at.
select (select count(*) from room_heads) as rooms, (select count(*) from user_heads) as people,
  (select count(*) from notifications) as notifications, (select count(*) from deliveries) as deliveries,
  (select count(*) from digests) as digests

-- name: working
-- Work that is on its way inside the database: unfinished expansions, deliveries that are due (an uncertain one that is
-- to be repeated, and a failed one whose dead letter is not written yet, among them) and those in a worker's hands.
-- A delivery that waits for a later attempt is not on its way until then. `router` is what the router is about to do
-- without an event: tell what was scheduled or is for all tenants, close digests, cancel.
select (select count(*) from expansions where done_at is null) as expansions,
  (select count(*) from scheduled where state = 'waiting' and due_at <= now())
    + (select count(*) from broadcasts where done_at is null)
    + (select count(*) from digests where closed_at is null and closes_at <= now())
    + (select count(*) from cancellations where done_at is null and look_at <= now()) as router,
  count(*) filter (where claim_token is null and (state = 'failed' or next_attempt_at <= now())) as due,
  count(*) filter (where claim_token is not null) as claimed,
  count(*) filter (where claim_token is null and state <> 'failed' and next_attempt_at > now()) as later
from deliveries
where state in ('planned', 'deferred', 'claimed', 'sending') or (state in ('unknown', 'failed') and next_attempt_at is not null)
