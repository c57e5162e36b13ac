"""Takes out of an exchange what is private, and what would differ the next time.

Ids, times and upload ids become numbered stand-ins, equal where the originals were equal and times in the same order.
Hosts, signatures, keys and addresses of people go. Where the answers are an account's own (`keep_words` false), every
string goes that the recorder did not send itself and that is not known to be one of the contract's own words: what
this version does not know is private. Numbers, flags and the names of members stay.
"""

from __future__ import annotations

import datetime as dt
import json
import posixpath
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from msgspec import UNSET, structs

from contentgroove_mock.recording.exchange import RecordedResponse, RecordingError, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SERVICE = "service.example"
FILES = "files.example"
SCRUBBED = "scrubbed"

_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s\"'<>]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CREDENTIAL = re.compile(r"(?i)x-amz-.*|api_key|.*token|.*signature|awsaccesskeyid|.*credential|expires|policy")
_TIME_FRAGMENT = re.compile(r"t=[\d.]+(?:,[\d.]+)?")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}")
_LEAK = re.compile(r"(?i)(?:x-amz-[a-z-]+|api_key)=(?!scrubbed\b)[^&\s\"]+")
# Members whose strings are the contract's own words, or the service's own about a request, by what holds them.
_ATTRIBUTES, _ERRORS, _REST = "attributes", "errors", ""
_KNOWN = {
    _ATTRIBUTES: frozenset({"source_file_content_type", "media_file_content_type"}),
    _ERRORS: frozenset({"status", "code", "title", "detail", "message", "pointer"}),
    _REST: frozenset({"type"}),
}
_EVENT = re.compile(r"\*|[a-z_]+(?:\.[a-z_]+)+")
_NUMBERED = {"upload_id": "upload", "external_id": "external"}


class Scrubber:
    """Scrubs exchanges with one service.

    Attributes:
        secrets: What must not be in a recording at all, such as the API key.
    """

    def __init__(
        self, service: str, *, secrets: Collection[str] = (), sent: Collection[str] = (), keep_words: bool
    ) -> None:
        """Scrub exchanges.

        Args:
            service: The API's base URL as it was called; links to it become links to `service.example`.
            secrets: See above.
            sent: Strings that the recorder sends itself, so that they may stay.
            keep_words: Whether names, descriptions and spoken text stay, because a simulator made them up.
        """
        self.secrets = tuple(secret for secret in secrets if secret)
        self._netloc = urlsplit(service).netloc
        self._sent = frozenset(sent)
        self._keep_words = keep_words

    def scrub(self, request: Request, response: RecordedResponse) -> tuple[Request, RecordedResponse]:
        """Scrub one exchange.

        Raises:
            RecordingError: Something secret would be left; nothing of it is in the message.
        """
        pass_ = _ExchangeScrubber(self._netloc, self._sent, self.secrets, keep_words=self._keep_words)
        pass_.collect(request, response)
        cleaned = (
            structs.replace(
                request,
                path=pass_.path(request.path),
                query=tuple((name, pass_.sent(value)) for name, value in request.query),
                body=UNSET if request.body is UNSET else pass_.value(request.body),
            ),
            structs.replace(response, body=UNSET if response.body is UNSET else pass_.value(response.body)),
        )
        self._check(cleaned)
        return cleaned

    def _check(self, cleaned: tuple[Request, RecordedResponse]) -> None:
        request, response = cleaned
        text = json.dumps(
            [request.path, request.query, _plain(request.body), _plain(response.body)], ensure_ascii=False
        )
        headers = [*request.headers.values(), *response.headers.values()]
        if any(secret in part for secret in self.secrets for part in (text, *headers)) or _LEAK.search(text):
            raise RecordingError(
                f"The exchange {request.method} {request.path} holds a credential in a place that scrubbing does not "
                "know, so it was not recorded. Teach scrubbing.py about it."
            )


class _ExchangeScrubber:
    """One exchange on its way through: the stand-ins that were given so far."""

    def __init__(self, netloc: str, sent: frozenset[str], secrets: tuple[str, ...], *, keep_words: bool) -> None:
        self._netloc = netloc
        self._sent = sent
        self._secrets = secrets
        self._keep_words = keep_words
        self._ids: dict[str, str] = {}
        self._moments: dict[dt.datetime, dt.datetime] = {}
        self._numbered: dict[tuple[str, str], str] = {}

    def collect(self, request: Request, response: RecordedResponse) -> None:
        """Find ids and times, so that stand-ins follow their order."""
        body = _plain(request.body)
        whole = json.dumps([unquote(request.path), request.query, body, _plain(response.body)])
        for found in (*_UUID.findall(whole), *_identifiers(_plain(response.body))):
            self._ids.setdefault(found, f"00000000-0000-4000-8000-{len(self._ids) + 1:012}")
        moments = {_instant(match) for match in _MOMENT.finditer(whole)}
        self._moments = {moment: _START + dt.timedelta(seconds=n) for n, moment in enumerate(sorted(moments))}

    def path(self, path: str) -> str:
        return "/".join(self._ids.get(unquote(part), part) for part in path.split("/"))

    def sent(self, value: str) -> str:
        """Scrub a value that the recorder sent: only ids and secrets can be private."""
        return self._ids.get(value, self._without_secrets(value))

    def value(self, value: Any, name: str = "", holder: str = _REST) -> Any:
        """Scrub JSON.

        Args:
            value: The JSON.
            name: The member that holds it.
            holder: Whether it is in a resource's attributes, in errors, or elsewhere.
        """
        holder = name if name in _KNOWN else holder
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            return {self._without_secrets(key): self.value(member, key, holder) for key, member in members.items()}
        if isinstance(value, list):
            return [self.value(item, name, holder) for item in cast("list[Any]", value)]
        return self._text(value, name, holder) if isinstance(value, str) else value

    def _text(self, text: str, name: str, holder: str) -> str:  # noqa: PLR0911 - rules, the first that fits decides
        if text in self._ids:
            return self._ids[text]
        if name in _NUMBERED:
            return self._placeholder(_NUMBERED[name], text)
        if (moment := _MOMENT.fullmatch(text)) is not None:
            return self._placeholder_time(moment)
        if text in self._sent:
            return text
        if _URL.fullmatch(text):
            return self._url(text)
        if self._keep_words or _is_known(text, name, holder):
            return self._sentence(text)
        return f"{SCRUBBED} {name}".strip()

    def _sentence(self, text: str) -> str:
        """Keep a text but for what in it is private."""
        text = _URL.sub(lambda match: self._url(match[0]), self._without_secrets(text))
        text = _UUID.sub(lambda match: self._ids.get(match[0], match[0]), text)
        text = _MOMENT.sub(self._placeholder_time, text)
        return _EMAIL.sub(f"{SCRUBBED}@example.com", text)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, SCRUBBED)
        return text

    def _placeholder(self, kind: str, text: str) -> str:
        count = sum(1 for known, _ in self._numbered if known == kind)
        return self._numbered.setdefault((kind, text), f"{kind}-{count + 1}")

    def _placeholder_time(self, match: re.Match[str]) -> str:
        # The precision and the spelling of the zone are the service's habits, which clients have to read.
        placeholder = self._moments.get(_instant(match), _START)
        fraction = "." + "0" * (len(match["fraction"]) - 1) if match["fraction"] else ""
        return f"{placeholder:%Y-%m-%dT%H:%M:%S}{fraction}{match['zone']}"

    def _url(self, url: str) -> str:
        parts = urlsplit(url)
        ours = parts.netloc == self._netloc
        path = self.path(parts.path) if ours else self._file(parts)
        fragment = f"#{parts.fragment}" if _TIME_FRAGMENT.fullmatch(parts.fragment) else ""
        query = self._query(parse_qsl(parts.query, keep_blank_values=True), ours=ours)
        return f"{parts.scheme}://{SERVICE if ours else FILES}{path}{'?' + query if query else ''}{fragment}"

    def _query(self, pairs: Iterable[tuple[str, str]], *, ours: bool) -> str:
        # Our own links repeat what the recorder asked for; another server's are credentials and names of files.
        return urlencode(
            [
                (name, self.sent(value) if ours and not _CREDENTIAL.fullmatch(name) else SCRUBBED)
                for name, value in pairs
            ],
            safe="[]",
        )

    @staticmethod
    def _file(parts: SplitResult) -> str:
        extension = posixpath.splitext(parts.path)[1]
        return f"/{SCRUBBED}{extension if _EXTENSION.fullmatch(extension) else ''}"


def _is_known(text: str, name: str, holder: str) -> bool:
    if name == "subscribed_events":
        return bool(_EVENT.fullmatch(text))
    return name in _KNOWN[holder] or not text or bool(_NUMBER.fullmatch(text))


def _identifiers(value: object) -> list[str]:
    """Give the ids of resources, of whatever form."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        own = members.get("id")
        found = [own] if isinstance(own, str) else []
        return found + [item for member in members.values() for item in _identifiers(member)]
    if isinstance(value, list):
        return [item for member in cast("list[object]", value) for item in _identifiers(member)]
    return []


def _instant(match: re.Match[str]) -> dt.datetime:
    return dt.datetime.fromisoformat(match[0]).astimezone(dt.UTC)


def _plain(body: object) -> object:
    return None if body is UNSET else body
