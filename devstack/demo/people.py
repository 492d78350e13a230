"""The small directory of the demo, loaded through the public API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from devstack.demo.examples import ADMIN, AGENT, MEMBER, NEWCOMER, ORG, SYSTEM_ADMIN, SYSTEM_ORG
from devstack.layout import DEVELOPMENT_SECRET
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now

SYSTEM_ADMIN_ROLE = "system-admin"

DIRECTORY: tuple[dict[str, Any], ...] = (
    {"kind": "user", "id": MEMBER, "displayName": "Mei Member", "email": f"{MEMBER}@example.test"},
    {"kind": "user", "id": ADMIN, "displayName": "Ada Admin", "email": f"{ADMIN}@example.test"},
    {"kind": "user", "id": NEWCOMER, "displayName": "Noor Newcomer", "email": f"{NEWCOMER}@example.test"},
    {
        "kind": "user",
        "id": SYSTEM_ADMIN,
        "displayName": "Sam Operator",
        "email": f"{SYSTEM_ADMIN}@example.test",
        "roles": [SYSTEM_ADMIN_ROLE],
    },
    {"kind": "org", "id": ORG, "name": "Example Ltd"},
    {"kind": "org", "id": SYSTEM_ORG, "name": "The platform itself"},
    {"kind": "membership", "orgId": ORG, "userId": MEMBER, "role": "member"},
    {"kind": "membership", "orgId": ORG, "userId": ADMIN, "role": "admin"},
    {"kind": "membership", "orgId": ORG, "userId": NEWCOMER, "role": "member"},
)


def token(watcher: str) -> str:
    """A development token that names the user, or the agent; the rooms come from the directory."""
    claims = {"agentId": AGENT} if watcher == AGENT else {"sub": watcher}
    return issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(days=30))


def operator_token() -> str:
    """A development token that may publish and write the directory."""
    claims = {"sub": "operator", "roles": ["admin"]}
    return issue(claims, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(days=30))
