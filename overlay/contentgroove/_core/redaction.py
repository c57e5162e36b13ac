"""Remove credentials from logs, errors and reprs.

No list of names can be complete: each store signs its URLs with other parameters. So the value of every parameter is
removed, except those that are known to be harmless.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from .secret import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .secret import Secret

# Patterns are strings, which `re` compiles on first use and caches: compiling them takes longer than importing the
# whole package. Each takes linear time, because the texts of a service may be long and hostile.

_HARMLESS = (
    r"(?i)(?:page(?:\[|%5b)(?:number|size)(?:\]|%5d)|filter(?:\[|%5b)\w{1,100}(?:\]|%5d)(?:\[\]|%5b%5d)?|sort|charset)"
)
"""This API's own parameters, and that of media types."""

_NAME = r"[\w.~$\[\]%-]{1,64}"
_NESTED = frozenset("?&=#@;\\")
"""Characters of a value that may be a URL with credentials of its own."""

_END = r"""["'nrt]|u00(?:2[27]|3[ce])"""
"""What follows a backslash at the end of a URL that is quoted in JSON."""

# In texts, quotes end a URL; an apostrophe only does if what follows cannot belong to it.
_IN_URL = rf"""[^\s"'<>\\]|'(?=[\w%+/=.~-])|\\(?!{_END})"""
_URL = rf"(?i)(:(?:\\?/){{2}})((?:{_IN_URL})*)"
_AMPERSAND = r"&amp;|&#0*38;|&#x0*26;|\\u0026|\\x26|&"
# HTML escapes characters of a value as entities; the others end it.
_ENTITY = r"&(?:#(?!0*(?:3[4589]|6[02]);|x0*(?:2[2367]|3[ce]);)x?[0-9a-f]{1,6}|plus|equals|sol|percnt|lowbar);"
_PARAMETER = (
    rf"(?i)([?&;]|{_AMPERSAND}|\\u003f)([\w.~$-](?:[\w.~$\[\]-]|%(?:5b|5d|2d|5f|2e)){{0,63}})(=|\\u003d|&#0*61;)"
    rf"""((?:[^&#\s"'<>\\]|'(?=[\w%+/=.~-])|\\(?!{_END}|u0026|x26)|{_ENTITY})*)"""
)
# In a URL that is a parameter of another one, once or several times.
_ENCODED_PARAMETER = (
    r"(?i)(%(?:25)*(?:3f|26|3b)(?:[\w.~$\[\]-]|%(?:25)*(?:5b|5d|2d|5f|2e)){1,64}%(?:25)*3d)"
    r"""(?:(?!%(?:25)*(?:26|23))[^&#\s"'<>])*"""
)
_USER_INFO = r"""(:(?:\\?/){2})[^/\s"'<>\\]*@"""
_ENCODED_USER_INFO = r"""(?i)(%(?:25)*3a(?:%(?:25)*2f){2})(?:(?!%(?:25)*(?:2f|3f))[^\s"'<>/?&])*%(?:25)*40"""
_SENTENCE = ").,;:!?}'"
"""What follows a URL in a text."""

_FRAGMENT = r"t=[\d.,]*"
"""A part of a video (`#t=10,20`)."""

# S3's error documents repeat the signature and what was signed, and other stores do likewise.
_STORE_ERROR = r"<Error>"
_ELEMENT = r"<(?!/|(?:Code|Message|RequestId|HostId|Error)>)([A-Za-z]\w{0,63})>[^<]+"

_PUBLIC_HEADERS = frozenset({"www-authenticate", "proxy-authenticate"})
_SECRET_HEADER = r"(?i)auth|cookie|token|secret|key|signature|credential|session|password"  # noqa: S105 - names
_URL_HEADERS = frozenset({"location", "content-location", "referer"})


def redact_url(url: str) -> str:
    """Replace what may be a credential in a URL, absolute or relative: user, values of the query, fragment."""
    return redact_text(_redact_query(re.sub(_USER_INFO, rf"\1{REDACTED}@", url)))


def redact_text(text: str) -> str:
    """Replace what may be a credential in all URLs and queries of a text, however they are escaped."""
    if "//" in text or r"/\/" in text:
        text = re.sub(_USER_INFO, rf"\1{REDACTED}@", text)
        text = re.sub(_URL, _redact_found_url, text)
    if "=" in text or r"\u003d" in text or "#" in text:
        text = re.sub(_PARAMETER, _redact_parameter, text)
    if "%" in text:
        text = re.sub(_ENCODED_PARAMETER, rf"\1{REDACTED}", text)
        text = re.sub(_ENCODED_USER_INFO, rf"\1{REDACTED}@", text)
    if _STORE_ERROR in text:
        text = re.sub(_ELEMENT, rf"<\1>{REDACTED}", text)
    return text


def _redact_found_url(found: re.Match[str]) -> str:
    url = found[2].rstrip(_SENTENCE)
    return f"{found[1]}{_redact_query(url)}{found[2][len(url) :]}"


def _redact_query(url: str) -> str:
    address, hash_sign, fragment = url.partition("#") if "?" not in url else (url, "", "")
    base, question, query = address.partition("?")
    if question:
        # Entities contain the sign of a fragment, so it is searched for in each part.
        query = "".join(
            part if index % 2 else _redact_part(part)
            for index, part in enumerate(re.split(f"(?i)({_AMPERSAND})", query))
        )
    if fragment and not re.fullmatch(_FRAGMENT, fragment):
        fragment = REDACTED
    return f"{base}{question}{query}{hash_sign}{fragment}"


def _redact_part(part: str) -> str:
    name, equals, value = part.partition("=")
    if not part:
        return part
    if is_harmless(name, value):
        return part
    # What ends with an equals sign may be base64 without a name.
    shows_name = bool(equals) and bool(value.strip("=")) and re.fullmatch(_NAME, name) is not None
    return f"{name}={REDACTED}" if shows_name else REDACTED


def _redact_parameter(found: re.Match[str]) -> str:
    separator, name, equals, value = found.groups()
    # The end of a sentence after a URL that is already redacted.
    is_done = value.startswith(REDACTED) and not value[len(REDACTED) :].strip(_SENTENCE)
    return found[0] if is_done or is_harmless(name, value) else f"{separator}{name}{equals}{REDACTED}"


def is_harmless(name: str, value: str) -> bool:
    """Return whether a parameter of a query cannot be a credential."""
    if re.fullmatch(_HARMLESS, name) is None:
        return False
    from urllib.parse import unquote

    return _NESTED.isdisjoint(unquote(unquote(unquote(value))))


def redact_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replace the values of headers that carry credentials, and credentials in the URLs of others."""
    return [(name, REDACTED if is_secret_header(name) else redact_header_value(name, value)) for name, value in headers]


def is_secret_header(name: str) -> bool:
    """Return whether the value of a header is probably a credential."""
    return name.lower() not in _PUBLIC_HEADERS and re.search(_SECRET_HEADER, name) is not None


def redact_header_value(name: str, value: str) -> str:
    """Replace credentials in the URLs of a header's value."""
    return redact_url(value) if name.lower() in _URL_HEADERS else redact_text(value)


def redact_echo(text: str, secrets: Iterable[Secret]) -> str:
    """Replace known credentials in a text, as a server may write them: plain, escaped in JSON, HTML or URLs, base64."""
    for secret in secrets:
        text = _echo_pattern(secret).sub(REDACTED, text)
    return text


def redact_echo_bytes(content: bytes, secrets: Iterable[Secret]) -> bytes:
    """Replace known credentials in a body, as `redact_echo` does."""
    for secret in secrets:
        content = re.sub(_echo_pattern(secret).pattern.encode(), REDACTED.encode(), content)
    return content


# A result can have hundreds of thousands of texts, and a program has few secrets.
@functools.lru_cache(maxsize=256)
def _echo_pattern(secret: Secret) -> re.Pattern[str]:
    escaped = "".join(
        rf"(?:\\{{0,4}}{re.escape(char)}|\\{{1,4}}u00{ord(char):02x}|%(?:25)*{ord(char):02x}|&#(?:0*{ord(char)}|x0*{ord(char):x});"
        rf"{_NAMED_ENTITIES.get(char, '')})"
        for char in secret.reveal()
    )
    return re.compile(f"(?i){escaped}" + "".join(f"|{re.escape(text)}" for text in _base64_forms(secret)))


_NAMED_ENTITIES = {"&": "|&amp;", "<": "|&lt;", ">": "|&gt;", '"': "|&quot;", "'": "|&apos;", "+": "|&plus;"}


def _base64_forms(secret: Secret) -> list[str]:
    """Return the base64 of a credential after 0, 1 and 2 other bytes, without what its neighbours change."""
    from base64 import b64encode

    forms = [
        b64encode(bytes(before) + secret.reveal().encode())[(0, 2, 3)[before] :].rstrip(b"=")[:-1].decode()
        for before in range(3)
    ]
    # Shorter ones may be parts of other texts.
    return [form for form in forms if len(form) >= _MIN_BASE64]


_MIN_BASE64 = 10
