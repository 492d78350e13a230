"""The words of an email: subject, plain text and HTML, from the stored notification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import css_inline
import mrml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from libs.catalogue.rendering import BadTemplate, NotRendered, render
from libs.markup.safe_html import safe_html
from libs.runtime.logging import get_logger
from services.delivery.domain.delivery import Content, Recipient

UNTITLED = "Notification"
_ACTION = "View details"
_ACCENTS = {"low": "#8a94a6", "normal": "#1f5fbf", "high": "#d9822b", "critical": "#c23030"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmailText:
    """An email's words. `subject` is one line."""

    subject: str
    plain: str
    html: str


class EmailRenderer:
    """Fills the templates.

    Args:
        html, plain: sources of the two templates; they are given title, message (plain) or body (safe HTML), name,
            action_url, action, unsubscribe_url and accent.
        link_base: what relative action links are resolved against; without it they are left out.
    """

    def __init__(self, html: str, plain: str, link_base: str | None = None) -> None:
        self._html = ImmutableSandboxedEnvironment(autoescape=True).from_string(html)
        self._plain = ImmutableSandboxedEnvironment(autoescape=False).from_string(plain)
        self._link_base = link_base

    def render(self, content: Content, recipient: Recipient, unsubscribe: str | None = None) -> EmailText:
        """The email for one person. MJML of the type that cannot be filled or read gives way to the common template."""
        title = one_line(content.title or "") or UNTITLED
        message = _UNPRINTABLE.sub("", content.message or "")
        shared = {
            "title": title,
            "name": one_line(recipient.display_name or ""),
            "action_url": link(content.action_url, self._link_base),
            "action": content.action or _ACTION,
            "unsubscribe_url": unsubscribe,
            "accent": _ACCENTS.get(content.severity, _ACCENTS["normal"]),
        }
        body = Markup(safe_html(message))  # noqa: S704 - cleaned by nh3
        html = _from_markup(content, shared | {"body": body, "message": message}) if content.markup else None
        html = html or self._html.render(shared, body=body)
        return EmailText(title, self._plain.render(shared, message=message.strip()), html)


def _from_markup(content: Content, shared: Mapping[str, Any]) -> str | None:
    try:
        filled = render(content.markup or "", {**content.values, **shared}, markup=True)
        return css_inline.inline(mrml.to_html(filled).content, load_remote_stylesheets=False)
    except (BadTemplate, NotRendered, OSError, ValueError) as fault:
        _log.warning("email_template_unusable", notification_type=content.type, errors=type(fault).__name__)
        return None


def with_picture(html: str, url: str) -> str:
    """The HTML with a picture at its end that nobody sees; `url` needs no escaping."""
    before, end, after = html.rpartition("</body>")
    picture = f'<img src="{url}" width="1" height="1" alt="">'
    return f"{before}{picture}{end}{after}" if end else f"{html}{picture}"


def one_line(text: str) -> str:
    """The text on one line: line breaks and other control characters are blanks."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def link(url: str | None, base: str | None) -> str | None:
    """The absolute http(s) address of an action, or None where there is none to offer."""
    if not url or _CONTROLS.search(url):
        return None
    try:
        absolute = urljoin(base, url) if base else url
        parts = urlsplit(absolute)
    except ValueError:  # for example an unfinished IPv6 address
        return None
    return absolute if parts.scheme in ("http", "https") and parts.netloc else None
