"""URLs and texts are shown without any value that is not known to be harmless, however they are written."""

from __future__ import annotations

import base64
import time

import pytest
from contentgroove._core import redaction
from contentgroove._core.redaction import (
    redact_echo,
    redact_echo_bytes,
    redact_headers,
    redact_text,
    redact_url,
)
from contentgroove._core.secret import Secret

STORES = [
    "https://b.s3.test/k?X-Amz-Algorithm=A&X-Amz-Credential=canary&X-Amz-Signature=canary&X-Amz-Security-Token=canary",
    "https://b.s3.test/k?AWSAccessKeyId=canary&Signature=canary%2B%3D&Expires=1",
    "https://storage.test/k?X-Goog-Credential=canary&X-Goog-Signature=canary",
    "https://storage.test/upload?uploadType=resumable&upload_id=canary",
    "https://a.blob.test/c/k?sv=2025&sr=b&se=2026&sp=cw&sig=canary%2B%3D",
    "https://d1.cloudfront.test/k?Policy=canary~__&Signature=canary&Key-Pair-Id=canary",
    "https://s.r2.test/k?verify=canary-1-canary",
    "https://tomorrow.test/k?zz[x]=canary&q=canary",
    "https://cdn.test/k?canary",
    "https://cdn.test/k?canary==",
    "https://cdn.test/k?Y2FuYXJ5canary=",
    "https://cdn.test/k?a=1&canary",
    "https://cdn.test/k??sig=canary",
    "https://cdn.test/k?sort=name;sig=canary",
    "https://cdn.test/k?sort=name#canary",
    "https://cdn.test/k#access_token=canary",
    "https://cdn.test/k;jsessionid=canary",
    "https://user:canary@cdn.test/k",
    "https://canary@cdn.test/k",
    "https://user:can@canary@cdn.test/k",
    "HTTPS://cdn.test/k?SIG=canary",
    "//cdn.test/k?sig=canary",
    "/k?sig=canary",
    "?sig=canary",
    "https://cdn.test/k?sig=can'canary",
    "https://cdn.test/k?sig=(canary)",
    "https://cdn.test/k?filter[source_url_eq]=https%3A%2F%2Fs%2Fk%3Fsig%3Dcanary",
    "https://cdn.test/k?filter%5Bsource_url_eq%5D=https://u:canary@h/",
    "https://cdn.test/k?sort=%253Fsig%253Dcanary",
    "redirect?to=https%3A%2F%2Fs%2Fk%3Fsig%3Dcanary",
    "https%3A%2F%2Fs%2Fk%3Fa%3D1%26sig%3Dcanary",
    "https%3A%2F%2Fuser%3Acanary%40s%2Fk",
    "rtmps://live.test/app?key=canary",
]


@pytest.mark.parametrize("url", STORES)
def test_no_signature_is_shown(url: str) -> None:
    """In a text, in Python's and JSON's quotes, escaped in JSON and HTML, once and twice."""
    json_escaped = url.replace("/", r"\/").replace("&", r"\u0026")
    html_escaped = url.replace("&", "&amp;").replace("+", "&#43;").replace("'", "&#39;")
    bare = "?canary" in url or "&canary" in url
    for text in (
        url,
        f"cannot fetch {url}.",
        f"<{url}>",
        repr({"url": url, "other": 1}),
        f'{{"url":"{url}","other":1}}',
        f'{{"url":"{json_escaped}"}}',
        rf"{{\"url\":\"{url}\"}}",
        f'<a href="{html_escaped}">x</a>',
    ):
        shown = redact_text(text)
        # Without a name, a value is known to be one only in an absolute URL.
        assert "canary" not in shown or (bare and "://" not in text.replace("\\", "")), shown
        assert redact_text(shown) == shown
    assert "canary" not in redact_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.test/medias?page[number]=2&page%5Bsize%5D=50&sort=-created_at", None),
        ("https://api.test/medias?filter[created_at_gteq]=2026-01-01T00%3A00%3A00%2B00%3A00", None),
        ("https://api.test/medias?filter[name_in][]=a&filter[name_in][]=b", None),
        ("https://store.test/film.mp4#t=10,20", None),
        ("text/html;charset=utf-8", None),
        ("http://127.0.0.1:8080/path/to?", None),
        ("Is it ready? Yes; a=b & c=d.", None),
        ("https://store.test/k?a=1&b=2", "https://store.test/k?a=[redacted]&b=[redacted]"),
        ("see https://store.test/k?a=1, then go on", "see https://store.test/k?a=[redacted], then go on"),
        ('{"a":"https://s.test/?b=1","c":2}', '{"a":"https://s.test/?b=[redacted]","c":2}'),
        ("['https://s.test/?b=1', 'c']", "['https://s.test/?b=[redacted]', 'c']"),
        ("https://u:p@s.test:8443/k", "https://[redacted]@s.test:8443/k"),
    ],
)
def test_what_is_harmless_stays_readable(url: str, shown: str | None) -> None:
    """This API's own parameters, and everything that is not a value of a query."""
    assert redact_text(url) == (shown or url)


def test_error_documents_of_stores() -> None:
    """Only code, message and ids of the request stay, whatever else a store repeats."""
    document = (
        "<?xml version='1.0'?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>It differs.</Message>"
        "<AWSAccessKeyId>canary</AWSAccessKeyId><StringToSign>GET\n\ncanary</StringToSign>"
        "<SignatureProvided>canary</SignatureProvided><StringToSignBytes>63 61 canary</StringToSignBytes>"
        "<CanonicalRequest>PUT\n/k\ncanary</CanonicalRequest><AuthenticationErrorDetail>canary</AuthenticationErrorDetail>"
        "<RequestId>R1</RequestId><HostId>H1</HostId><Details>canary"
    )
    shown = redact_text(document)
    assert "canary" not in shown
    for kept in ("SignatureDoesNotMatch", "It differs.", "R1", "H1"):
        assert kept in shown
    assert redact_text("<html><h1>Bad Gateway</h1></html>") == "<html><h1>Bad Gateway</h1></html>"


def test_headers_with_credentials() -> None:
    """Names that say so are hidden, and URLs in the others are redacted."""
    secret = ["Authorization", "x-api-key", "Set-Cookie", "X-Amz-Security-Token", "Proxy-Authorization", "X-Session-Id"]
    assert redact_headers((name, "canary") for name in secret) == [(name, "[redacted]") for name in secret]
    others = [("Location", "/next?canary"), ("Link", '<https://a.test/?sig=canary>; rel="next"'), ("Server", "nginx")]
    assert redact_headers(others) == [
        ("Location", "/next?[redacted]"),
        ("Link", '<https://a.test/?sig=[redacted]>; rel="next"'),
        ("Server", "nginx"),
    ]


@pytest.mark.parametrize(
    "echo",
    [
        "canary+/=&<'é",
        "CANARY+/=&<'é",
        r"canary+\/=\u0026\u003c\u0027\u00e9",
        r"canary\\u002b\\/=\\u0026\\u003c'\\u00E9",
        "canary%2B%2f%3D%26%3C%27é",
        "%63anary%252B%252F%253D&amp;&lt;&#39;é",
        "canary&#x2B;/&#61;&amp;&#60;&apos;&#233;",
    ],
)
def test_known_secrets_are_found_however_they_are_escaped(echo: str) -> None:
    """Plain, and escaped in JSON, URLs and HTML, once or twice."""
    secret = Secret("canary+/=&<'é")
    assert redact_echo(f"bad: {echo}!", [secret]) == "bad: [redacted]!"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_known_secrets_are_found_in_base64(before: str) -> None:
    """After any number of other bytes, as in `Basic` authentication."""
    encoded = base64.b64encode(f"{before}a-canary-key-of-an-account:after".encode()).decode()
    shown = redact_echo_bytes(encoded.encode(), [Secret("a-canary-key-of-an-account")]).decode()
    assert encoded[9:30] not in shown
    assert "[redacted]" in shown


HOSTILE = [
    "?a" * 200_000, "?a=" * 100_000, "%25" * 100_000, "%3f" * 100_000, "://" * 100_000, ":////@" * 80_000,
    "&amp;" * 100_000, "'" * 300_000, "\\" * 300_000, "<Error>" + "<a>" * 100_000, "&#" + "0" * 300_000,
    "%" + "25" * 200_000, "://" + "a@" * 200_000, "://?" + "&a" * 200_000, "=?" + "%5b" * 100_000,
    "://a" + "?" * 300_000,
    "%3a%2f%2f" * 100_000, "=" + ";a" * 200_000, "<Error>" + "<" * 300_000, "=&" + "#0" * 200_000,
]  # fmt: skip


@pytest.mark.slow
def test_hostile_texts_take_linear_time() -> None:
    """Hundreds of kilobytes of whatever a pattern begins with takes less than a few seconds."""
    for text in HOSTILE:
        started = time.process_time()
        redact_text(text)
        redact_url(text)
        assert time.process_time() - started < 5, text[:20]


def test_many_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a credential may look like is worked out once: results have hundreds of thousands of texts."""
    prepared: list[Secret] = []

    def forms(secret: Secret) -> list[str]:
        prepared.append(secret)
        return []

    monkeypatch.setattr(redaction, "_base64_forms", forms)
    secret = Secret("a-key-of-this-test-alone")
    assert [redact_echo("a", [secret]) for _ in range(9)] == ["a"] * 9
    assert prepared == [secret]
