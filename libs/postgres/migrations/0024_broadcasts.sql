-- Events for everybody in every tenant: each is told, as an event of its own, in one tenant after the other (S14). The
-- rows stay: each is an event that the router took and did not write as a notification.
create table broadcasts (
  tenant text not null,                     -- the sender's
  id uuid not null,                         -- of the event, and of the notification in the sender's tenant
  event text not null,
  source_topic text not null,               -- where it came from: noti or http
  record bytea,                             -- the event as it was received; null once it was told everywhere
  traceparent text not null,
  key bytea,                                -- of the Kafka record
  cursor text not null default '',          -- the last tenant that was dealt with
  reached text,                             -- of one that is taken back: how far it had been told
  cancelled_by text,
  created_at timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  primary key (tenant, id),
  check ((reached is null) = (cancelled_by is null))
);
create index broadcasts_open on broadcasts (created_at) where done_at is null;

alter table broadcasts enable row level security;
alter table broadcasts force row level security;
create policy workers on broadcasts to carillon_ingest, carillon_router, carillon_operator using (true) with check (true);
grant select, insert, update on broadcasts to carillon_router;
grant select on broadcasts to carillon_ingest, carillon_operator;
