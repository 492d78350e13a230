"""Debian's OpenSMTPD: a mail server that others wrote, with a domain of its own and one maildir for everybody in it."""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from devstack.ports import free_port
from devstack.waiting import wait_until

DOMAIN = "example.test"
_BINARY = Path("/usr/sbin/smtpd")  # with a control socket that is compiled in: one runs at a time
_CONTROL = Path("/var/run/smtpd.sock")
_OWNER = "nobody"  # it delivers to no root
_CONFIGURATION = """\
listen on 127.0.0.1 port {port} hostname mail.example.test
action "keep" maildir "{mails}" virtual {{ "@" = {owner} }}
match from any for domain "{domain}" action "keep"
"""


@dataclass(frozen=True)
class OpenSmtpd:
    """A running server."""

    port: int
    mails: Path

    def messages(self) -> list[EmailMessage]:
        """What was delivered, headers of the server included."""
        files = sorted(self.mails.glob("new/*"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def hindrance() -> str | None:
    """Why it cannot run here."""
    if not _BINARY.exists():
        return "OpenSMTPD is not installed; scripts/setup.sh does that as root, where there is no other mail server"
    if os.geteuid() != 0:
        return "OpenSMTPD starts as root only"
    return "another OpenSMTPD is running" if _answers(_CONTROL) else None


@contextlib.contextmanager
def opensmtpd() -> Iterator[OpenSmtpd]:
    """The server while the block runs."""
    with tempfile.TemporaryDirectory(prefix="opensmtpd-") as name:
        home = Path(name)
        home.chmod(0o755)  # its delivering process is nobody's
        server = OpenSmtpd(free_port(), home / "mails")
        server.mails.mkdir()
        shutil.chown(server.mails, _OWNER)
        told = _CONFIGURATION.format(port=server.port, mails=server.mails, owner=_OWNER, domain=DOMAIN)
        (home / "smtpd.conf").write_text(told)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([_BINARY, "-d", "-f", home / "smtpd.conf"], stdout=log, stderr=log)
        try:
            wait_until(lambda: _listens(server.port), timeout=10, what="OpenSMTPD")
            yield server
        finally:
            process.terminate()
            process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as control:
        control.connect(str(path))
        return True
    return False
