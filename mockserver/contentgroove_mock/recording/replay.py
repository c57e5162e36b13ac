"""Respond from a recorded session, without a network.

A request gets the response to the recorded request with the same method, path, query and body. Equal requests get
the responses in their recorded order, and then the last one again. Nothing is computed: ids, times and texts are those
of the recording.
"""

from __future__ import annotations

import gzip
import threading
from difflib import SequenceMatcher
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contentgroove._core.redaction import redact_text
from msgspec import UNSET

from contentgroove_mock.contract.asgi import headers_of, target_of
from contentgroove_mock.contract.exchanges import CheckedRequest
from contentgroove_mock.recording.bodies import BodyCopy
from contentgroove_mock.recording.recordings import SERVICE, Recording, RecordingError, Request
from contentgroove_mock.recording.session_scrubbing import SessionScrubber
from contentgroove_mock.recording.sessions import UPLOADS, Session, describe, query_text, read_session, request_key
from contentgroove_mock.simulator.core.errors import ErrorResponse, bad_request
from contentgroove_mock.simulator.web.api import BASE_PATH
from contentgroove_mock.simulator.web.responses import error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import httpx
    from starlette.types import Receive, Scope, Send


_MAX_SHOWN = 200
_MAX_COMPARED = 2000


class Served(NamedTuple):
    """A response.

    Attributes:
        status: Its status.
        headers: Its headers by lower-case name.
        content: Its body, encoded as the headers state.
    """

    status: int
    headers: dict[str, str]
    content: bytes


class Replay:
    """An ASGI application that responds from a recording; `serve_app` serves it.

    In process, without a server, `httpx.MockTransport(replay.respond)` is a transport for sync and async clients, and
    `replay.respond` a side effect for respx. Safe to share between threads.

    ```python
    from contentgroove_mock.recording import Replay

    replay = Replay("session.jsonl")
    with httpx.Client(transport=httpx.MockTransport(replay.respond)) as http_client:
        client = ContentGroove("any-key", http_client=http_client, upload_http_client=http_client)
    ```

    Attributes:
        session: The recording.
    """

    def __init__(
        self,
        recording: str | Path | Session,
        on_exchange: Callable[[str, int], object] = lambda _request, _status: None,
    ) -> None:
        """Read a recording.

        Args:
            recording: The path of its file, or its content.
            on_exchange: Called with each request, without credentials, and the status of its response.

        Raises:
            RecordingError: The file is not a recording.
        """
        self.session = recording if isinstance(recording, Session) else read_session(Path(recording))
        self._on_exchange = on_exchange
        self._recorded: dict[Hashable, list[Recording]] = {}
        self._used: dict[Hashable, int] = {}
        self._lock = threading.Lock()
        for item in self.session.recordings:
            self._recorded.setdefault(request_key(item.request), []).append(item)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request of httpx."""
        import httpx

        request.read()
        checked = CheckedRequest.from_httpx(request)
        size = len(checked.content) if checked.target.startswith(UPLOADS) else None
        origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        served = self._respond(checked, size, origin)
        return httpx.Response(served.status, headers=served.headers, content=served.content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        headers = headers_of(scope["headers"])
        is_upload = scope["path"].startswith(UPLOADS)
        body = BodyCopy()
        more_body = True
        while more_body:
            message = await receive()
            body.add(message.get("body", b""))
            more_body = message.get("more_body", False)
        origin = f"{scope['scheme']}://{headers.get('host', SERVICE)}"
        try:
            content, size = (b"", body.size) if is_upload else (body.content, None)
        except RecordingError as error:
            await error_response(bad_request(str(error)))(scope, receive, send)
            return
        checked = CheckedRequest(scope["method"], target_of(scope), headers, content)
        served = self._respond(checked, size, origin)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in served.headers.items()]
        await send({"type": "http.response.start", "status": served.status, "headers": raw})
        await send({"type": "http.response.body", "body": served.content})

    def _respond(self, checked: CheckedRequest, size: int | None, origin: str) -> Served:
        request = SessionScrubber(own_origin=origin).request(checked, size)
        is_known = checked.target.startswith((f"{BASE_PATH}/", UPLOADS))
        recording = self._next(request) if is_known else None
        if recording is not None:
            served = _served(recording, origin, gzip_accepted="gzip" in checked.headers.get("accept-encoding", ""))
        else:
            error = self._not_recorded(request) if is_known else outside_api(origin)
            response = error_response(error)
            served = Served(error.status, headers_of(response.raw_headers), bytes(response.body))
        self._on_exchange(describe(request), served.status)
        return served

    def _next(self, request: Request) -> Recording | None:
        """Return the recording that responds to a request now; None if the request was not recorded."""
        key = request_key(request)
        with self._lock:
            found = self._recorded.get(key)
            if found is None:
                return None
            index = self._used.get(key, 0)
            self._used[key] = index + 1
            return found[min(index, len(found) - 1)]

    def _not_recorded(self, request: Request) -> ErrorResponse:
        nearest = _nearest(request, [item.request for item in self.session.recordings])
        hint = "It contains no exchange." if nearest is None else f"Nearest: {_comparison(request, nearest)}."
        detail = (
            f"{describe(request)} was not recorded in {self.session.name}. {hint} Record a session with this request: "
            "contentgroove mock --record FILE."
        )
        # Not 404: a client would take the resource for deleted.
        return ErrorResponse(501, [{"status": "501", "title": "Not recorded", "detail": detail}])


def outside_api(origin: str) -> ErrorResponse:
    """404: the path is not below the base URL."""
    detail = f"The base URL is {origin}{BASE_PATH}. Nothing else is served here."
    return ErrorResponse(404, [{"status": "404", "title": "Not Found", "detail": detail}])


def _served(recording: Recording, origin: str, *, gzip_accepted: bool) -> Served:
    """Return a recorded response, with links to the service that lead to the replay."""
    headers = {name: _to_origin(value, origin) for name, value in recording.response.headers.items()}
    content = recording.response.content
    if recording.response.data is UNSET:
        content = _to_origin(content.decode(), origin).encode()
    if recording.request.method != "HEAD":
        encoding = headers.pop("content-encoding", None)
        if encoding == "gzip" and gzip_accepted and content:
            content, headers["content-encoding"] = gzip.compress(content, mtime=0), encoding
        if recording.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            headers["content-length"] = str(len(content))
    return Served(recording.status, headers, content)


def _to_origin(text: str, origin: str) -> str:
    return text.replace(f"https://{SERVICE}", origin)


def _nearest(request: Request, recorded: Sequence[Request]) -> Request | None:
    """Return the recorded request that is closest: the path counts most, then the method, then query and body."""
    paths = {other.path: SequenceMatcher(None, request.path, other.path).ratio() for other in recorded}
    best = max(paths.values(), default=0)
    candidates = [other for other in recorded if paths[other.path] == best]
    same_method = [other for other in candidates if other.method == request.method]
    text = _rest_text(request)
    return max(
        same_method or candidates,
        key=lambda other: SequenceMatcher(None, text, _rest_text(other)).quick_ratio(),
        default=None,
    )


def _rest_text(request: Request) -> str:
    return f"{query_text(request)} {_body_text(request)}"[:_MAX_COMPARED]


def _comparison(request: Request, other: Request) -> str:
    """Return a recorded request, and in what it differs."""
    names = ("method", "path", "query", "body")
    values = [(item.method, item.path, sorted(item.query), _body_text(item)) for item in (request, other)]
    differences = [name for name, one, two in zip(names, *values, strict=True) if one != two]
    if "path" in differences:
        return f"{describe(other)}, with another path"
    found = f"{describe(other)}, with another {' and '.join(differences)}"
    if differences == ["body"]:
        found += f": {_shortened(_body_text(other))} instead of {_shortened(_body_text(request))}"
    return found


def _body_text(request: Request) -> str:
    if isinstance(request.size, int):
        return f"a file of {request.size} bytes"
    return redact_text(request.content.decode("utf-8", "backslashreplace"))


def _shortened(text: str) -> str:
    return (text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…") or "no body"
