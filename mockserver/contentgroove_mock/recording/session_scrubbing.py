"""Remove credentials from the exchanges of a program, so that a recording of them can be kept and replayed.

Unlike `scrubbing`, this keeps ids, times, names and texts, which a program reads again when its session is replayed.
What is removed becomes the same placeholder each time, whatever came before, and placeholders stay as they are. So a
program that received a placeholder from a replay and sends it back is recognised.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from contentgroove._core.redaction import (
    is_secret_header,
    redact_echo,
    redact_echo_bytes,
    redact_header_value,
    redact_url,
)
from contentgroove._core.redaction import redact_text as redact_urls
from contentgroove._core.secret import REDACTED, Secret
from msgspec import UNSET, UnsetType

from contentgroove_mock.contract.values import decode_json, duplicate_key
from contentgroove_mock.recording.recordings import SERVICE, RecordedResponse, RecordingError, Request
from contentgroove_mock.recording.scrubbing import EMAIL, SCRUBBED, UUID
from contentgroove_mock.recording.sessions import encode_recording
from contentgroove_mock.simulator.web.api import BASE_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse
    from contentgroove_mock.recording.recordings import Recording

MIN_SECRET = 6
"""The length of the shortest credential that is searched for in texts: shorter ones are parts of words."""

_MAX_SECRETS = 64
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_SECRET_MEMBER = re.compile(
    r"(?i)token|secret|password|passwd|signature|credential|api_?key|authorization|cookie|x-amz"
)
_SECRET_PARAMETER = re.compile(rf"(?i)x-amz-.*|awsaccesskeyid|policy|.*(?:{_SECRET_MEMBER.pattern[4:]}).*")
_OF_ONE_CONNECTION = frozenset({
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
# A part of a path that is probably a credential, such as that of a chat's webhook: long, of letters and digits.
_PATH_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w=%~+-]{16,}")
_PLACEHOLDER = re.compile(rf"(?:{SCRUBBED}|upload)-[0-9a-f]{{12}}")


class SessionScrubber:
    """Scrubs the exchanges of one session; it learns credentials from the requests.

    Args:
        base_url: The service's base URL; URLs below it become URLs below `https://service.example/api/v1`.
        own_origin: The origin of the proxy or replay, whose URLs become those of `https://service.example`.
    """

    def __init__(self, base_url: str = "", own_origin: str = "") -> None:
        self._base = urlsplit(base_url)
        self._own = urlsplit(own_origin).netloc
        self._secrets: dict[Secret, None] = {}

    def at(self, own_origin: str) -> SessionScrubber:
        """Return a scrubber that shares what this one has learned, of a proxy with another origin."""
        scrubber = SessionScrubber(self._base.geturl(), own_origin)
        scrubber._secrets = self._secrets
        return scrubber

    def require_clean(self, recording: Recording) -> None:
        """Raise `RecordingError` if a recording contains a known credential, whatever removed the others."""
        line = encode_recording(recording)
        if redact_echo_bytes(line, self._secrets) != line:
            raise RecordingError(
                f"The exchange {recording.request.method} contains a credential at an unknown location, and was not "
                "recorded."
            )

    def request(self, request: CheckedRequest, size: int | None = None) -> Request:
        """Return a request as a session contains it, and learn its credentials.

        Args:
            request: The request, with the names of its headers in lower case.
            size: The size of an uploaded file, whose content is not recorded; None for the API's requests.
        """
        path, _, query = request.target.partition("?")
        self._learn(request.headers.items(), query)
        content = request.content if size is None else b""
        fields = self._content(content, request.headers.get("content-type", ""))
        return Request(
            method=request.method,
            path=self._without_known(path.removeprefix(BASE_PATH)),
            query=self._query(query),
            headers=self._headers(request.headers.items()),
            size=UNSET if size is None else size,
            **fields,
        )

    def response(self, response: CheckedResponse) -> RecordedResponse:
        """Return a response, whose body is decompressed, as a session contains it."""
        fields = self._content(response.content, response.headers.get("content-type", ""))
        return RecordedResponse(headers=self._headers(response.headers.items()), **fields)

    def _learn(self, headers: Iterable[tuple[str, str]], query: str) -> None:
        """Remember the credentials of a request, which the service may repeat in any response."""
        for name, value in headers:
            if name == "cookie":
                for part in value.split(";"):
                    self._remember(Secret(part.partition("=")[2].strip()))
            elif is_secret_header(name):
                scheme, _, token = value.strip().partition(" ")
                self._remember(Secret(token.strip() or scheme))
        for name, value in parse_qsl(query):
            if _SECRET_PARAMETER.fullmatch(name):
                self._remember(Secret(value))

    def learn_url(self, url: Secret) -> None:
        """Remember the credentials of a presigned URL: the values in its query."""
        for name, value in parse_qsl(urlsplit(url.reveal()).query):
            if _SECRET_PARAMETER.fullmatch(name):
                self._remember(Secret(value))

    def _headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {name: self._header(name, value) for name, value in headers if name not in _OF_ONE_CONNECTION}

    def _query(self, query: str) -> tuple[tuple[str, str], ...]:
        """Return the names and values of a query, with placeholders for credentials."""
        return tuple(
            (self._text(name), SCRUBBED if value and _SECRET_PARAMETER.fullmatch(name) else self._text(value))
            for name, value in parse_qsl(query, keep_blank_values=True)
        )

    def _content(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Return the fields of a recorded body: `body` for JSON, `text` for other text, `data` for bytes.

        JSON that loses something when it is decoded, such as a member that is there twice, counts as text.
        """
        if not content:
            return {}
        content = redact_echo_bytes(content, self._secrets).replace(REDACTED.encode(), SCRUBBED.encode())
        if "json" in media_type.lower():
            value = _lossless(content)
            if value is not UNSET:
                return {"body": self._json(value)}
        try:
            return {"text": self._text(content.decode())}
        except UnicodeDecodeError:
            return {"data": content}

    def _json(self, value: object, name: str = "") -> object:
        """Scrub JSON in a member with this name."""
        if isinstance(value, dict):
            return {key: self._json(member, key) for key, member in cast("dict[str, object]", value).items()}
        if isinstance(value, list):
            return [self._json(item, name) for item in cast("list[object]", value)]
        if not isinstance(value, str) or not value:
            return value
        if _SECRET_MEMBER.search(name):
            return SCRUBBED
        # Known credentials are already removed from the whole body.
        return _pseudonym("upload", value) if name == "upload_id" else self._without_unknown(value)

    def _text(self, text: str) -> str:
        """Remove credentials, also those in URLs, and email addresses from a text."""
        return self._without_unknown(self._without_known(text))

    def _without_unknown(self, text: str) -> str:
        if "://" in text:
            text = _URL.sub(lambda match: self._url(match[0]), text)
        if "=" in text or "//" in text or "<Error>" in text:
            text = redact_urls(text).replace(REDACTED, SCRUBBED)
        return EMAIL.sub(f"{SCRUBBED}@example.com", text) if "@" in text else text

    def _header(self, name: str, value: str) -> str:
        scheme, _, token = value.strip().partition(" ")
        if name == "authorization":
            # Which of the two forms was sent is not secret, and it is a fact about the service.
            return f"{scheme} {SCRUBBED}" if token and scheme.isalpha() else SCRUBBED
        if is_secret_header(name) or name.startswith("x-amz-"):
            return SCRUBBED
        return self._text(redact_header_value(name, value).replace(REDACTED, SCRUBBED))

    def _remember(self, secret: Secret) -> None:
        if len(secret.reveal()) >= MIN_SECRET:
            self._secrets.pop(secret, None)
            self._secrets[secret] = None
            if len(self._secrets) > _MAX_SECRETS:
                del self._secrets[next(iter(self._secrets))]

    def _without_known(self, text: str) -> str:
        return redact_echo(text, self._secrets).replace(REDACTED, SCRUBBED)

    def _url(self, url: str) -> str:
        try:
            parts = urlsplit(redact_url(url).replace(REDACTED, SCRUBBED))
        except ValueError:
            return f"https://{SERVICE}/{SCRUBBED}"
        netloc = parts.netloc.rpartition("@")[2]
        scheme, path = parts.scheme, parts.path
        own_path = self._base.path.rstrip("/")
        if netloc == self._base.netloc and f"{path}/".startswith(f"{own_path}/"):
            scheme, netloc, path = "https", SERVICE, BASE_PATH + path[len(own_path) :]
        elif netloc == self._own:
            scheme, netloc = "https", SERVICE
        path = "/".join(_pseudonym(SCRUBBED, part) if _is_token(part) else part for part in path.split("/"))
        return parts._replace(scheme=scheme, netloc=netloc, path=path).geturl()


def _lossless(content: bytes) -> object | UnsetType:
    """Return decoded JSON; unset if it is not JSON, or if what is decoded has less than the text."""
    try:
        value = decode_json(content)
        return value if duplicate_key(content, value) is None else UNSET
    except (ValueError, RecursionError):
        return UNSET


def _is_token(part: str) -> bool:
    return _PATH_TOKEN.fullmatch(part) is not None and UUID.fullmatch(unquote(part)) is None


def _pseudonym(kind: str, value: str) -> str:
    """Return the placeholder of a value, equal for equal ones; a placeholder's own is itself."""
    if _PLACEHOLDER.fullmatch(value):
        return value
    return f"{kind}-{hashlib.sha256(value.encode()).hexdigest()[:12]}"
