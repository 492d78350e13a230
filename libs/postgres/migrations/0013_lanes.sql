-- Tenants whose events go by the bulk lane, because they published more than their share. A row is announced first and
-- takes effect a second later, when every ingest process has seen it; the way back is announced in the same manner.
create table diversions (
  tenant text primary key,
  announced_at timestamptz not null default clock_timestamp(),
  over_at timestamptz not null default clock_timestamp(),  -- when a process last saw the tenant over its share
  ending_at timestamptz
);
alter table diversions enable row level security;
alter table diversions force row level security;
create policy workers on diversions to carillon_ingest, carillon_operator using (true) with check (true);
grant select, insert, update, delete on diversions to carillon_ingest;
grant select on diversions to carillon_operator;
