"""Finds a notification in the database and reads its story, in one snapshot."""

from __future__ import annotations

from uuid import UUID

from cli.adapters import database
from cli.outcome import Refused
from libs.explaining import records
from libs.explaining.story import Story, Waiting
from libs.runtime.clock import iso
from libs.runtime.settings import ChannelSettings, load


async def read(dsn: str, notification: UUID, tenant: str | None, reader: str | None, limit: int) -> Story:
    """The story; at most `limit` deliveries. Raises Refused when there is no such notification, or several."""
    deliverable = frozenset(load(ChannelSettings).channels)
    async with database.operator(dsn) as connection, database.snapshot(connection):
        having = await records.tenants_with(connection, notification)
        if tenant is None and len(having) > 1:
            raise Refused(f"several tenants have it: choose one by --tenant: {', '.join(having)}")
        of = tenant or next(iter(having), None)
        found = await records.read(connection, of, notification, reader, limit, deliverable) if of else None
    if isinstance(found, Waiting):
        raise Refused(f"{notification} is no notification yet: it is {found.state}, due at {iso(found.due_at)}")
    if found is None:
        where = f" in tenant {tenant}" if tenant else ""
        raise Refused(f"there is no notification {notification}{where}: not routed yet, refused, or never published")
    return found
