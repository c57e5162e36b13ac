"""Remove from an exchange what is private, and what would differ the next time.

Ids, times and upload ids become numbered placeholders, equal if the originals were equal, with times in the same order.
Hosts, signatures, keys and email addresses are removed. In responses of a real account (`keep_words` false), every
string is removed that the recorder did not send itself and that is not known to be a fixed text of the contract:
unknown strings count as private. Numbers, booleans and the names of members stay.
"""

from __future__ import annotations

import datetime as dt
import json
import posixpath
import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import structs

from contentgroove_mock.recording.recordings import SERVICE, RecordedResponse, RecordingError, Request

if TYPE_CHECKING:
    from collections.abc import Collection

    from contentgroove._core.secret import Secret

FILES = "files.example"
SCRUBBED = "scrubbed"

_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s\"'<>]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CREDENTIAL = re.compile(r"(?i)x-amz-.*|api_key|.*token|.*signature|awsaccesskeyid|.*credential|expires|policy")
_TIME_FRAGMENT = re.compile(r"t=[\d.]+(?:,[\d.]+)?")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}")
_LEAK = re.compile(r"(?i)(?:x-amz-[a-z-]+|api_key)=(?!scrubbed\b)[^&\s\"]+")
# Members whose strings are fixed texts of the contract or the service's texts about a request, by their container.
_KNOWN = {
    "attributes": frozenset({"source_file_content_type", "media_file_content_type"}),
    "errors": frozenset({"status", "code", "title", "detail", "message", "pointer"}),
    "": frozenset({"type"}),
}
_EVENT = re.compile(r"\*|[a-z_]+(?:\.[a-z_]+)+")
_NUMBERED = {"upload_id": "upload", "external_id": "external"}


@dataclass(frozen=True)
class Scrubber:
    """Scrubs exchanges with one service.

    Attributes:
        service: The API's base URL that was called; links to it become links to `service.example`.
        secrets: Strings that must not be in a recording at all, such as the API key.
        sent: Strings that the recorder sends itself, or that the contract lists as values, which may stay.
        keep_words: Whether names, descriptions and spoken text stay, because a simulator invented them.
    """

    service: str
    _: KW_ONLY
    secrets: Collection[Secret] = ()
    sent: Collection[str] = ()
    keep_words: bool

    def scrub(self, request: Request, response: RecordedResponse) -> tuple[Request, RecordedResponse]:
        """Scrub one exchange; raise `RecordingError`, whose message does not contain it, if a secret would be left."""
        scrubber = _ExchangeScrubber(self, request, response)
        request = structs.replace(
            request,
            path=scrubber.path(request.path),
            query=tuple((name, scrubber.sent(value)) for name, value in request.query),
            body=scrubber.value(request.body),
        )
        response = structs.replace(response, body=scrubber.value(response.body))
        text = _joined(request.path, request, response)
        headers = [*request.headers.values(), *response.headers.values()]
        if any(secret.reveal() in part for secret in self.secrets for part in (text, *headers)) or _LEAK.search(text):
            raise RecordingError(
                f"The exchange {request.method} {request.path} contains a credential at an unknown location. "
                "It was not recorded. Add the location to scrubbing.py."
            )
        return request, response


class _ExchangeScrubber:
    """Scrubs one exchange: assigns placeholders to its ids and times, in their order."""

    def __init__(self, rules: Scrubber, request: Request, response: RecordedResponse) -> None:
        self._rules = rules
        self._ids: dict[str, str] = {}
        self._numbered: dict[tuple[str, str], str] = {}
        text = _joined(unquote(request.path), request, response)
        for found in (*UUID.findall(text), *_identifiers(response.body)):
            self._ids.setdefault(found, f"00000000-0000-4000-8000-{len(self._ids) + 1:012}")
        instants = {_instant(match) for match in _TIME.finditer(text)}
        self._times = {time: _START + dt.timedelta(seconds=n) for n, time in enumerate(sorted(instants))}

    def path(self, path: str) -> str:
        return "/".join(self._ids.get(unquote(part), part) for part in path.split("/"))

    def sent(self, value: str) -> str:
        """Scrub a value that the recorder sent: only ids and secrets can be private."""
        return self._ids.get(value, self._without_secrets(value))

    def value(self, value: Any, name: str = "", container: str = "") -> Any:
        """Scrub JSON in a member with this name; the container is a resource's attributes, errors, or the rest."""
        container = name if name in _KNOWN else container
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            return {self._without_secrets(key): self.value(member, key, container) for key, member in members.items()}
        if isinstance(value, list):
            return [self.value(item, name, container) for item in cast("list[Any]", value)]
        return self._text(value, name, container) if isinstance(value, str) else value

    def _text(self, text: str, name: str, container: str) -> str:  # noqa: PLR0911 - rules, the first that matches decides
        if text in self._ids:
            return self._ids[text]
        if name in _NUMBERED:
            return self._placeholder(_NUMBERED[name], text)
        if (time := _TIME.fullmatch(text)) is not None:
            return self._placeholder_time(time)
        if text in self._rules.sent:
            return text
        if _URL.fullmatch(text):
            return self._url(text)
        if self._rules.keep_words or _is_known(text, name, container):
            return self._sentence(text)
        return f"{SCRUBBED} {name}".strip()

    def _sentence(self, text: str) -> str:
        """Remove the private parts of a text."""
        text = _URL.sub(lambda match: self._url(match[0]), self._without_secrets(text))
        text = UUID.sub(lambda match: self._ids.get(match[0], match[0]), text)
        text = _TIME.sub(self._placeholder_time, text)
        return EMAIL.sub(f"{SCRUBBED}@example.com", text)

    def _without_secrets(self, text: str) -> str:
        for secret in self._rules.secrets:
            text = text.replace(secret.reveal(), SCRUBBED)
        return text

    def _placeholder(self, kind: str, text: str) -> str:
        count = sum(known == kind for known, _ in self._numbered)
        return self._numbered.setdefault((kind, text), f"{kind}-{count + 1}")

    def _placeholder_time(self, match: re.Match[str]) -> str:
        # The precision and the form of the time zone are kept, because clients must parse them.
        placeholder = self._times.get(_instant(match), _START)
        fraction = "." + "0" * (len(match["fraction"]) - 1) if match["fraction"] else ""
        return f"{placeholder:%Y-%m-%dT%H:%M:%S}{fraction}{match['zone']}"

    def _url(self, url: str) -> str:
        parts = urlsplit(url)
        own = parts.netloc == urlsplit(self._rules.service).netloc
        extension = posixpath.splitext(parts.path)[1]
        file = f"/{SCRUBBED}{extension if _EXTENSION.fullmatch(extension) else ''}"
        # The service's links repeat what the recorder requested; another server's contain credentials and file names.
        query = [
            (name, self.sent(value) if own and not _CREDENTIAL.fullmatch(name) else SCRUBBED)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        return parts._replace(
            netloc=SERVICE if own else FILES,
            path=self.path(parts.path) if own else file,
            query=urlencode(query, safe="[]"),
            fragment=parts.fragment if _TIME_FRAGMENT.fullmatch(parts.fragment) else "",
        ).geturl()


def _is_known(text: str, name: str, container: str) -> bool:
    if name == "subscribed_events":
        return bool(_EVENT.fullmatch(text))
    return name in _KNOWN[container] or not text or bool(_NUMBER.fullmatch(text))


def _identifiers(value: object) -> list[str]:
    """Return the ids of resources, whatever their form."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        identifier = members.get("id")
        found = [identifier] if isinstance(identifier, str) else []
        return found + [item for member in members.values() for item in _identifiers(member)]
    if isinstance(value, list):
        return [item for member in cast("list[object]", value) for item in _identifiers(member)]
    return []


def _instant(match: re.Match[str]) -> dt.datetime:
    return dt.datetime.fromisoformat(match[0]).astimezone(dt.UTC)


def _joined(path: str, request: Request, response: RecordedResponse) -> str:
    # Only a body that is unset is not JSON.
    values = [path, request.query, request.body, response.body]
    return json.dumps(values, ensure_ascii=False, default=lambda _unset: None)
