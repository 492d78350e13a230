-- What the router looks up: the admins of an organisation without reading all its members.
create index memberships_by_role on memberships (tenant, room, role) include (user_id) where left_at is null;

comment on column room_log.prior is
  'The rooms before this one in the notification that a reader of this one may read too: null when there are none '
  '(always in user rooms, which stand first and belong to one person), {*} when they are too many for an index row: '
  'then notifications.rooms has them.';
