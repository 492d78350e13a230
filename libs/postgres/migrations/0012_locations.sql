-- Where people were last, for notifications to who is near (people of a role within a distance of a point).

alter table users
  add column latitude double precision check (latitude between -90 and 90),
  add column longitude double precision check (longitude between -180 and 180),
  add column located_at timestamptz,
  add column radius_meters double precision,   -- how far away something may be for the person to hear of it
  add column latitude_strip int generated always as (floor(latitude * 10)::int) stored,
  add check ((latitude is null) = (longitude is null) and (latitude is null) = (located_at is null));

-- A strip of latitude, then a stretch of longitude: two dimensions by an ordinary index.
create index users_by_place on users (tenant, latitude_strip, longitude)
  include (user_id, latitude, located_at, radius_meters) where latitude is not null;
