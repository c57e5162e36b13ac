from __future__ import annotations

import pytest
from contentgroove.tools.network import Origin, check_addresses, check_url, is_public, origin_of
from contentgroove.tools.results import ToolError


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001:81b::200e"])
def test_public_addresses(address: str) -> None:
    """Ordinary addresses of the internet are public."""
    assert is_public(address)


# IANA's special-purpose registries for IPv4 and IPv6, and every form that hides one address in another.
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3",  # noqa: S104 - nothing listens there
        "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.0.1",
        "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::",
        "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a00:1",
        "localhost", "", "1.1.1", "0x7f.1",
    ],
)  # fmt: skip
def test_other_addresses(address: str) -> None:
    """Loopback, private, link-local, multicast, reserved and disguised addresses are not, and no name is."""
    assert not is_public(address)


def test_origins() -> None:
    """Scheme, host and port, the default port left out; names are in lower case and without a final dot."""
    assert origin_of("https://Example.com./a?b#c") == Origin("https", "example.com", 443)
    assert str(origin_of("https://example.com:443/a")) == "https://example.com"
    assert str(origin_of("http://[::1]:8080/")) == "http://[::1]:8080"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a", "file:///etc/passwd", "https://", "https:///a", "//example.com", "example.com",
        "https://user@example.com", "https://u:secret@example.com", "https://example.com:99999/",
        "https://exämple.com/", "https://example.com/a b", "https://example.com/a\n", "javascript://x",
        "https://[::1", "gopher://127.0.0.1:25/_a",
    ],
)  # fmt: skip
def test_urls_without_an_origin(url: str) -> None:
    """Other schemes, users and broken URLs are refused, and a password is not repeated."""
    with pytest.raises(ToolError) as caught:
        origin_of(url)
    assert caught.value.code == "fetch_refused"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com", "https://127.0.0.1", "https://localhost", "https://localhost.", "https://[::1]",
        "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://127.1", "https://10.0.0.1",
        "https://[::ffff:169.254.169.254]", "https://169.254.169.254", "http://127.0.0.1",
    ],
)  # fmt: skip
def test_origins_that_are_refused_by_name(url: str) -> None:
    """Plain http, and addresses that are not public in any notation, are refused without a name server."""
    with pytest.raises(ToolError, match="--allow-origin") as caught:
        check_url(origin_of(url), frozenset())
    assert caught.value.code == "fetch_refused"
    check_url(origin_of(url), frozenset({origin_of(url)}))


def test_one_bad_address_refuses_all() -> None:
    """A name with a public and a private address is refused, whichever comes first."""
    origin = origin_of("https://example.com")
    assert check_addresses(origin, ["1.1.1.1", "1.1.1.1"], frozenset()) == ["1.1.1.1"]
    for addresses in (["1.1.1.1", "10.0.0.1"], ["::1", "1.1.1.1"]):
        with pytest.raises(ToolError, match="not public"):
            check_addresses(origin, addresses, frozenset())
        assert check_addresses(origin, addresses, frozenset({origin})) == addresses
    with pytest.raises(ToolError, match="no address"):
        check_addresses(origin, [], frozenset())


def test_an_allowed_origin_allows_no_other() -> None:
    """Another port, scheme or host is another origin."""
    allowed = frozenset({origin_of("http://127.0.0.1:8000")})
    for url in ("http://127.0.0.1:8001", "https://127.0.0.1:8000", "http://127.0.0.2:8000", "http://localhost:8000"):
        with pytest.raises(ToolError):
            check_url(origin_of(url), allowed)
