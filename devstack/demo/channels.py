"""One notification on every channel there is and in every dialect, and what the platform says became of it."""

from __future__ import annotations

from typing import Any

import httpx

from devstack.demo.dialects import Listener, listening
from devstack.demo.examples import MEMBER
from devstack.demo.people import operator_token
from devstack.outside import Outside
from devstack.progress import Progress

CHANNELS = ("in-app", "email", "push", "sms", "webhook", "slack", "discord", "teams")
_WAIT = 20.0  # seconds


async def show_channels(gateway: str, outside: Outside, progress: Progress) -> list[str]:
    """What did not arrive: nothing, when all is well."""
    headers = {"Authorization": f"Bearer {operator_token()}"}
    async with (
        httpx.AsyncClient(base_url=gateway, timeout=_WAIT + 10, headers=headers) as http,
        listening(gateway, MEMBER) as listeners,
    ):
        await _register(http, outside)
        asked = {
            "title": "On every channel",
            "message": "One notification, **eight** ways.",
            "actionUrl": "https://app.example.test/demo",
            "recipients": {"userIds": [MEMBER]},
            "channels": list(CHANNELS),
        }
        answer = await http.post("/api/v1/notifications", params={"wait": _WAIT}, json=asked)
        said: dict[str, Any] = answer.raise_for_status().json()
        silent = await _tell_dialects(listeners, said["id"], progress)
    for channel in CHANNELS:
        reached = said["channels"].get(channel, False)
        reason = "" if reached else f" [red]{said.get('errors', {}).get(channel)}[/]"
        progress.note(f"{'[green]✓[/]' if reached else '[red]✗[/]'} {channel}{reason}")
    progress.note(f"[dim]seen outside: {', '.join(sorted(set(outside.received)))}[/]")
    return [*silent, *(channel for channel in CHANNELS if not said["channels"].get(channel))]


async def _tell_dialects(listeners: list[Listener], notification_id: str, progress: Progress) -> list[str]:
    silent = []
    for listener in listeners:
        event = await listener.told(notification_id, _WAIT)
        progress.note(f"[green]✓[/] {listener.namespace} as {event}" if event else f"[red]✗[/] {listener.namespace}")
        silent += [] if event else [listener.namespace]
    return silent


async def _register(http: httpx.AsyncClient, outside: Outside) -> None:
    address, keys = outside.subscription()
    user = (await http.get(f"/api/v1/directory/users/{MEMBER}")).raise_for_status().json()
    wanted = {name: user[name] for name in ("email", "displayName") if user.get(name)}
    (await http.put(f"/api/v1/directory/users/{MEMBER}", json=wanted | {"phone": "+15005550001"})).raise_for_status()
    devices = {
        "browser": {"platform": "web", "token": address, "keys": keys},
        "phone": {"platform": "fcm", "token": "demo-token"},
        "tablet": {"platform": "apns", "token": "0a1b2c"},
    }
    for name, device in devices.items():
        (await http.put(f"/api/v1/directory/devices/{MEMBER}/{name}", json=device)).raise_for_status()
    for channel in ("webhook", "slack", "discord", "teams"):
        url = f"{outside.url}{channel}/demo"
        endpoint = {"id": f"demo-{channel}", "channel": channel, "url": url}
        if (made := await http.post("/api/v1/endpoints", json=endpoint)).status_code == httpx.codes.CONFLICT:
            made = await http.patch(f"/api/v1/endpoints/demo-{channel}", json={"url": url, "disabled": False})
        made.raise_for_status()
