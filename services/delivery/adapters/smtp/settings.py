"""Settings of the SMTP server that mail is handed to."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from libs.runtime.settings import Settings

_MAILBOX = re.compile(r"[^\s<>()\"]+@([A-Za-z0-9.-]+)")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class SmtpSettings(Settings):
    """`CARILLON_SMTP_` variables. Times are seconds."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(2525, ge=1, le=65535)
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_ca_file: Path | None = Field(None, description="certificates to trust instead of the system's")
    smtp_password: SecretStr | None = None
    smtp_password_file: Path | None = Field(None, description="read instead of CARILLON_SMTP_PASSWORD")
    smtp_username: str | None = None
    smtp_from: str = Field("Carillon <carillon@localhost>", description="`address` or `Name <address>`")
    smtp_domain: str | None = Field(None, description="right side of Message-IDs; the sender's domain by default")
    dkim_selector: str | None = Field(None, pattern=r"^[A-Za-z0-9.-]+$", description="where the public key is in DNS")
    dkim_domain: str | None = Field(None, description="whose mail it is; the sender's domain by default")
    dkim_key_file: Path | None = Field(None, description="RSA private key (PEM) that mail is signed with")
    smtp_connect_timeout: float = Field(10.0, gt=0)
    smtp_idle: float = Field(30.0, gt=0, description="a connection that was idle for longer is not used again")

    @field_validator("smtp_from")
    @classmethod
    def _is_mailbox(cls, value: str) -> str:
        if not value.isprintable() or not _MAILBOX.fullmatch(parseaddr(value)[1]):
            raise ValueError("must be `address` or `Name <address>`")
        return value

    @field_validator("smtp_domain")
    @classmethod
    def _is_domain(cls, value: str | None) -> str | None:
        if value is not None and not _DOMAIN.fullmatch(value):
            raise ValueError("must be a domain name")
        return value

    @field_validator("dkim_key_file")
    @classmethod
    def _has_a_selector(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not info.data.get("dkim_selector"):
            raise ValueError("needs CARILLON_DKIM_SELECTOR")
        return value

    @field_validator("smtp_username")
    @classmethod
    def _has_a_password(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not (info.data.get("smtp_password") or info.data.get("smtp_password_file")):
            raise ValueError("needs CARILLON_SMTP_PASSWORD or CARILLON_SMTP_PASSWORD_FILE")
        return value

    @property
    def password(self) -> str | None:
        """The password, read anew: the file may have been replaced."""
        if self.smtp_password_file is not None:
            return self.smtp_password_file.read_text().strip()
        return self.smtp_password.get_secret_value() if self.smtp_password else None

    @property
    def sender(self) -> tuple[str, str]:
        """(display name, address)."""
        return parseaddr(self.smtp_from)

    @property
    def domain(self) -> str:
        """The right side of Message-IDs."""
        return self.smtp_domain or self.sender[1].rpartition("@")[2]
