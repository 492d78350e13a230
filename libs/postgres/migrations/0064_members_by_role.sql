-- Only who has a role. Without statistics the planner took this index to find one member of a room, and read them all: to
-- open the memberships of a large organisation one by one took as many times as long as it had members.
drop index memberships_by_role;
create index memberships_by_role on memberships (tenant, room, role) include (user_id)
  where left_at is null and role is not null;
