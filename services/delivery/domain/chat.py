"""A notification as Slack, Discord and Teams take it from an incoming webhook: title, words and a button.

Nobody is mentioned by a notification's words: what would notify a whole channel is escaped or switched off.
"""

from __future__ import annotations

import re
from typing import Any

from libs.runtime.clock import iso
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rendering import UNTITLED, link, one_line

_COLOURS = {"low": 0x8A94A6, "normal": 0x1F5FBF, "high": 0xD9822B, "critical": 0xC23030}
_BUTTON = "View details"
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^\s)|]+)\)")
_CUT = "…"

# What each takes at most, in characters.
_SLACK_HEADER, _SLACK_TEXT = 150, 3_000
_DISCORD_TITLE, _DISCORD_TEXT = 256, 4_096
_TEAMS_TEXT = 10_000


def slack(delivery: Delivery, link_base: str | None) -> dict[str, Any]:
    """Blocks, with a plain text for notifications of the desktop."""
    title, message, url = _said(delivery, link_base)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _SLACK_HEADER), "emoji": False}}
    ]
    if message:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _cut(_mrkdwn(message), _SLACK_TEXT)}})
    if url:
        button = {"type": "button", "text": {"type": "plain_text", "text": _BUTTON}, "url": url}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(title), "blocks": blocks}


def discord(delivery: Delivery, link_base: str | None) -> dict[str, Any]:
    """One embed; mentions in it are text."""
    title, message, url = _said(delivery, link_base)
    embed: dict[str, Any] = {
        "title": _cut(title, _DISCORD_TITLE),
        "description": _cut(message, _DISCORD_TEXT),
        "color": _COLOURS.get(delivery.content.severity, _COLOURS["normal"]),
        "timestamp": iso(delivery.created_at),
    }
    if url:
        embed["url"] = url
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def teams(delivery: Delivery, link_base: str | None) -> dict[str, Any]:
    """An Adaptive Card, as a workflow that was made for incoming webhooks posts it."""
    title, message, url = _said(delivery, link_base)
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium", "wrap": True},
            *([{"type": "TextBlock", "text": _cut(message, _TEAMS_TEXT), "wrap": True}] if message else []),
        ],
    }
    if url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": _BUTTON, "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _said(delivery: Delivery, link_base: str | None) -> tuple[str, str, str | None]:
    content = delivery.content
    title = one_line(content.title or "") or UNTITLED
    return title, (content.message or "").strip(), link(content.action_url, link_base)


def _mrkdwn(markdown: str) -> str:
    """Slack's own mark-up; after escaping, what stands in angle brackets is ours."""
    return _LINK.sub(r"<\2|\1>", _BOLD.sub(r"*\1*", _escaped(markdown)))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + _CUT
