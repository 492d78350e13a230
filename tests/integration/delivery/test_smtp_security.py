"""Encryption and login: mail goes only to the server that the settings name, and a wrong password fails no delivery."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devstack.smtp_peer import SmtpPeer
from libs.runtime.clock import utc_now
from services.delivery.adapters.smtp.client import SmtpClient
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.domain.delivery import Content, Delivery, Recipient
from services.delivery.errors import Unavailable
from tests.integration.delivery.asked import composer

pytestmark = pytest.mark.covers("F2-5")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = utc_now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + built.public_bytes(pem))
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"carillon", b"right"), handled=False)


async def _send(peer: SmtpPeer, **told: Any) -> None:
    settings = SmtpSettings(smtp_host="localhost", smtp_port=peer.port, smtp_from="carillon@example.test", **told)
    client = SmtpClient(settings, composer(settings), 5.0)
    content = Content(uuid4(), "system.notification", title="A title")
    whom = Recipient("ada", "ada@example.test")
    try:
        await client.send(Delivery("default", uuid4(), "email", uuid4(), 0, utc_now(), whom, content))
    finally:
        await client.close()


async def test_starttls_with_login(context: ssl.SSLContext, certificate: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("right\n")
    secure = {"smtp_tls": "starttls", "smtp_ca_file": certificate, "smtp_username": "carillon"}
    with SmtpPeer(tls_context=context, require_starttls=True, authenticator=_login, auth_required=True) as peer:
        await _send(peer, **secure, smtp_password_file=password)
        assert len(peer.messages) == 1
        with pytest.raises(Unavailable) as refused:
            await _send(peer, **secure, smtp_password="wrong")
        assert refused.value.code == "535"


async def test_implicit_tls(context: ssl.SSLContext, certificate: Path) -> None:
    with SmtpPeer(ssl_context=context) as peer:
        await _send(peer, smtp_tls="tls", smtp_ca_file=certificate)
        assert len(peer.messages) == 1


async def test_a_server_that_cannot_prove_its_name_gets_nothing(context: ssl.SSLContext) -> None:
    with SmtpPeer(tls_context=context) as peer:
        with pytest.raises(Unavailable):
            await _send(peer, smtp_tls="starttls")
        assert peer.messages == []


async def test_without_encryption_no_mail_where_it_is_asked_for() -> None:
    with SmtpPeer() as peer:
        with pytest.raises(Unavailable):
            await _send(peer, smtp_tls="starttls")
        assert peer.messages == []
