"""A small system that adds up, as rows: three notifications, two rooms, three deliveries, one expansion."""

from __future__ import annotations

FIRST, SECOND, THIRD = (f"00000000-0000-5000-8000-00000000000{n}" for n in (1, 2, 3))

_NOTIFICATION = """
insert into notifications (tenant, id, event, type, metadata, severity, audience, rooms, catalogue_version,
  decisions_planned, source, accepted_at, planned_at, name, title, message, extras)
values ('default', '{id}', 'service.event', '{type}', '{{}}', 'normal', '{{"rule": "named"}}', '{rooms}', '1',
  {planned}, '{{"topic": "{{prefix}}noti", "partition": 0, "offset": 0}}', now(), now(),
  'iam.user.created', 't', 'm', '{{}}')
"""
_DELIVERY = """
insert into deliveries (tenant, id, notification, user_id, channel, state, reason, attempts, next_attempt_at)
values ('default', gen_random_uuid(), '{notification}', '{user}', 'email', '{state}', '{reason}', {attempts}, {due})
"""


def _notification(identifier: str, rooms: str, planned: int, kind: str = "iam.user.created") -> str:
    return _NOTIFICATION.format(id=identifier, rooms=rooms, planned=planned, type=kind)


def _delivery(notification: str, user: str, state: str, reason: str, attempts: int = 0, due: str = "null") -> str:
    return _DELIVERY.format(
        notification=notification, user=user, state=state, reason=reason, attempts=attempts, due=due
    )


SMALL = [
    """insert into progress (consumer, topic, partition, generation, cluster, start_offset, next_offset, accepted, dead)
       values ('ingest', '{prefix}noti', 0, 1, '{cluster}', 0, 4, 3, 1),
              ('router', '{prefix}service.event', 0, 1, '{cluster}', 0, 3, 3, 0)""",
    _notification(FIRST, "{user:ana,org:acme}", 3),
    _notification(SECOND, "{user:ana}", 2),
    _notification(THIRD, "{org:acme}", 1),
    "insert into room_heads (tenant, room, seq) values ('default', 'user:ana', 2), ('default', 'org:acme', 2)",
    f"""insert into room_log (tenant, room, seq, at, notification)
        values ('default', 'user:ana', 1, now(), '{FIRST}'), ('default', 'org:acme', 1, now(), '{FIRST}'),
               ('default', 'user:ana', 2, now(), '{SECOND}'), ('default', 'org:acme', 2, now(), '{THIRD}')""",
    _delivery(FIRST, "ana", "sent", "sent", 1),
    _delivery(SECOND, "ana", "suppressed", "channel-off"),
    f"""insert into expansions (tenant, notification, room, channels, as_of, planned, done_at)
        values ('default', '{THIRD}', 'org:acme', '{{email}}', now(), 1, now())""",
    _delivery(THIRD, "ben", "planned", "type-default", 0, "now() + interval '1 hour'"),
    "insert into user_heads (tenant, user_id, seq) values ('default', 'ana', 1)",
    "insert into state_log (tenant, user_id, seq, operation, at) values ('default', 'ana', 1, 'read_all', now())",
    """insert into users (tenant, user_id, email)
       values ('default', 'ana', 'ana@example.org'), ('default', 'ben', 'ben@example.org'),
              ('default', 'cleo', null)""",
    """insert into memberships (tenant, user_id, room, joined_at, joined_seq, left_at, left_seq, role, source)
       values ('default', 'ben', 'org:acme', now() - interval '1 day', 0, null, null, 'member', 'directory'),
              ('default', 'cleo', 'org:acme', now() - interval '1 day', 0, now() - interval '1 hour', 1, 'admin',
               'directory')""",
]
