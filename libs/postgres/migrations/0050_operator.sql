-- What the `carillon` command may do as carillon_operator: read everything, make and revoke keys, replay dead letters.

alter default privileges in schema public grant select on tables to carillon_operator;
grant select on all tables in schema public to carillon_operator;
grant insert, update on api_keys to carillon_operator;
grant insert on tenants to carillon_operator;
grant insert on audit_trail to carillon_operator;
grant update on deliveries to carillon_operator;

-- Which dead letters have been replayed: a second `carillon dead replay` leaves them alone. A position means nothing
-- without the cluster that it was read from.
create table dead_letter_replays (
  cluster text not null,
  topic text not null,
  partition int not null,
  record_offset bigint not null,
  replayed_at timestamptz not null default clock_timestamp(),
  primary key (cluster, topic, partition, record_offset)
);
grant select, insert, update on dead_letter_replays to carillon_operator;
