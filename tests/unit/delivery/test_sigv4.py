"""Amazon's signatures: the examples of its documentation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.delivery.domain.sigv4 import Credentials, signed

pytestmark = pytest.mark.covers("F2-5")

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
WHO = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize(
    ("url", "headers", "service", "signature"),
    [
        (
            "https://example.amazonaws.com/",
            {},
            "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ],
)
def test_the_examples(url: str, headers: dict[str, str], service: str, signature: str) -> None:
    found = signed("GET", url, headers, b"", WHO, region="us-east-1", service=service, now=NOW)
    assert found["authorization"].endswith(f"Signature={signature}")


def test_whatever_is_changed_changes_the_signature() -> None:
    def of(content: bytes = b"a", who: Credentials = WHO) -> str:
        told = signed("POST", "https://sns.test/", {}, content, who, region="eu", service="sns", now=NOW)
        return told["authorization"]

    assert len({of(), of(b"b"), of(who=replace(WHO, secret="other")), of(who=replace(WHO, token="session"))}) == 4
