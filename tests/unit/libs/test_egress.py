"""Where requests to addresses of others may go."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.outbound.addresses import BadAddress, may_reach, web_address

pytestmark = pytest.mark.covers("F2-5", "F2-4")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fec0::1", "fc00::1",
        "ff02::1", "2001:db8::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::169.254.169.254", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_private_networks_are_out_of_reach(address: str) -> None:
    assert not may_reach(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_internet_is_in_reach(address: str) -> None:
    assert may_reach(ip_address(address), ())


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_gains_nothing_by_being_written_in_ipv6(number: int) -> None:
    plain = may_reach(IPv4Address(number), ())
    assert may_reach(IPv6Address((0xFFFF << 32) | number), ()) == plain
    assert may_reach(IPv6Address(int(IPv6Address("64:ff9b::")) | number), ()) == plain


def test_what_the_operator_allows_is_in_reach_and_nothing_beside_it() -> None:
    allowed = [ip_network("127.0.0.0/8")]
    assert may_reach(ip_address("127.0.0.1"), allowed)
    assert may_reach(ip_address("::ffff:127.0.0.1"), allowed)
    assert not may_reach(ip_address("10.0.0.1"), allowed)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://hooks.example.test", "https://hooks.example.test/"),
        ("https://hooks.example.test:8443/a?b=c#d", "https://hooks.example.test:8443/a?b=c"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://[2606:4700::1]/x", "https://[2606:4700::1]/x"),
    ],
)
def test_addresses_of_the_web(url: str, asked: str) -> None:
    assert web_address(url, plain=False) == asked


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.test", "http://hooks.example.test/", "ftp://x.test/", "file:///etc/passwd", "https://",
        "https://user:secret@x.test/", "https://x.test:99999/", "https://x.test/a b", "https://x.test/\r\nHost: y",
        "https://x.test/ä", "https://[::1", "https://" + "x" * 3000, "https://a..b.test/",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        web_address(url, plain=False)


def test_plain_http_is_for_development() -> None:
    assert web_address("http://127.0.0.1:8000/hook", plain=True) == "http://127.0.0.1:8000/hook"


@given(st.text(max_size=60))
def test_whatever_is_given_is_an_address_or_refused(text: str) -> None:
    try:
        asked = web_address("https://" + text, plain=False)
    except BadAddress:
        return
    assert asked.startswith("https://")
    assert asked.isascii()
    assert asked.isprintable()
