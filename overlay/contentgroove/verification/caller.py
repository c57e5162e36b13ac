"""Sends single requests, as they are written, and records what came back.

Unlike the client, this sends what the API's document forbids, tolerates nothing and hides nothing. It is bounded: a
run has a limit of calls and of time, obeys a short Retry-After, and ends at a long one.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

import httpx
import msgspec

from contentgroove._core.redaction import redact_echo, redact_url
from contentgroove._core.retries import requested_delay
from contentgroove._core.secret import Secret, SecretBytes
from contentgroove._core.tracebacks import drop_frames
from contentgroove._io.connections import default_ssl_context
from contentgroove._version import __version__

from .exchanges import (
    Exchange,
    KeyLostError,
    LostResponseError,
    NoJsonError,
    NotTriedError,
    RunEndedError,
    TooManyRequestsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Self

KeyForm: TypeAlias = Literal["bearer", "header", "bare", "query", "none"]
"""How the key is sent: `Authorization: Bearer KEY`, `X-API-KEY: KEY`, `Authorization: KEY`, `?api_key=KEY`, not."""

MAX_CALLS = 400
MAX_SECONDS = 600.0
MAX_PAUSE = 30.0
"""Seconds: a longer Retry-After ends the run."""

DEFAULT_PAUSE = 1.0
"""Seconds to wait after a 429 without a usable Retry-After."""

TIMEOUT = 30.0
"""Seconds for each of connecting, sending and receiving."""

_ANY = {"Accept": "*/*"}
_HEADERS = {"Accept": "application/json", "User-Agent": f"contentgroove-doctor/{__version__}"}
_MAX_REDIRECTS = 3
_MAX_SHOWN = 60
MAX_BODY = 4 * 1024 * 1024
_UNAUTHORIZED = 401
_PAYMENT_REQUIRED = 402
_FORBIDDEN = 403
_TOO_MANY = 429
_FAILED = 500
_UNAVAILABLE = frozenset({502, 503, 504})
_STORE_FAILED = _UNAVAILABLE | {_FAILED, _TOO_MANY}
_REPEATS = 2
"""How often a request is sent again that got 500: a defect of the moment refutes nothing, one that stays does."""

REPEAT_PAUSE = 0.3
_FAILED_CALLS = 4
"""Requests without a response, one after the other, that end the run."""


class Caller:
    """Sends requests with one key.

    Attributes:
        base_url: The API's base URL.
        key_form: How the key is sent unless a call says otherwise.
        sleep: How to wait.
    """

    def __init__(
        self,
        base_url: str,
        key: Secret,
        *,
        max_calls: int = MAX_CALLS,
        max_seconds: float = MAX_SECONDS,
        sleep: Callable[[float], object] = time.sleep,
        log: Callable[[str], object] | None = None,
    ) -> None:
        self._log = log
        self.base_url = base_url
        self.key_form: KeyForm = "bearer"
        self.sleep = sleep
        self._key = key
        self._calls_left = max_calls
        self._end = time.monotonic() + max_seconds
        self._failed = 0
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, verify=default_ssl_context())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def seconds_left(self) -> float:
        """The rest of the run's time."""
        return self._end - time.monotonic()

    def extend(self, *, calls: int, seconds: float) -> None:
        """Allow further calls, such as those that delete what was created."""
        self._calls_left = max(self._calls_left, calls)
        self._end = max(self._end, time.monotonic() + seconds)
        self._failed = 0

    def call(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key_form: KeyForm | None = None,
        repeats: int | None = None,
    ) -> Exchange:
        """Call the API, and return only a response that says something about the request.

        Args:
            method: The method.
            path: The path below the base URL.
            query: Names and values, not encoded.
            body: JSON to send, with its Content-Type.
            content: The bytes to send instead, without a Content-Type.
            headers: Further headers.
            key_form: How the key is sent; by default `self.key_form`. A check of the key judges each status itself.
            repeats: How often it is sent again if it gets 500; by default twice, but never what may create something.

        Raises:
            RunEndedError: The run's limits are reached, the service asks for a long pause, or takes the key no more.
            LostResponseError: No response came.
            NotTriedError: The service is unavailable, wants a payment, or something else responded with a page.
        """
        text = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in query)
        url = f"{path}?{text}" if text else path
        sent = {**_HEADERS, **(headers or {})}
        if body is not None:
            content = msgspec.json.encode(body)
            sent = {"Content-Type": "application/json", **sent}
        form = key_form or self.key_form
        if repeats is None:
            repeats = 0 if method == "POST" else _REPEATS
        exchange = self._repeated(lambda: self._send_unless_limited(method, url, sent, content, form), repeats)
        if exchange.status in _UNAVAILABLE:
            raise NotTriedError(f"The service is unavailable: {method} {path} returned {exchange.status}.")
        if exchange.status == _FAILED and method == "POST" and not repeats:
            raise NotTriedError(f"The service failed: {method} {path} returned 500.")
        if exchange.is_page:
            # A service may echo the key anywhere, and a part of it would not be found later.
            found = redact_echo(exchange.headers.get("content-type", "no Content-Type"), [self._key])[:_MAX_SHOWN]
            raise NoJsonError(f"{method} {path} returned {exchange.status} with {found} instead of JSON.")
        if key_form is None:
            self._require_access(exchange, path)
        return exchange

    def _repeated(self, send: Callable[[], Exchange], repeats: int) -> Exchange:
        """Send a request, and again if it gets 500 or its connection breaks, such as one that was idle for too long."""
        for _ in range(repeats):
            try:
                exchange = send()
            except LostResponseError as error:
                if not error.connected:
                    raise
            else:
                if exchange.status != _FAILED:
                    return exchange
            self.sleep(REPEAT_PAUSE)
        return send()

    def _send_unless_limited(
        self, method: str, url: str, sent: dict[str, str], content: bytes | None, form: KeyForm
    ) -> Exchange:
        exchange = self._send(method, url, sent, content, form)
        if exchange.status == _TOO_MANY:
            self._pause(exchange)
            exchange = self._send(method, url, sent, content, form)
            if exchange.status == _TOO_MANY:
                raise TooManyRequestsError("The service responded twice with 429, too many requests.")
        return exchange

    def _require_access(self, exchange: Exchange, path: str) -> None:
        """Raise if a status says something about the account instead of the request."""
        if exchange.status == _PAYMENT_REQUIRED:
            raise NotTriedError(
                f"The account does not permit it: {exchange.method} {path} returned 402, payment required."
            )
        if exchange.status == _FORBIDDEN and exchange.method == "POST":
            raise NotTriedError(f"The key may not create this: POST {path} returned 403.")
        if exchange.status == _FORBIDDEN and exchange.json is None and exchange.content:
            raise NotTriedError(f"{exchange.method} {path} returned 403 without JSON, as a firewall does.")
        if exchange.status != _UNAUTHORIZED:
            return
        # A service may also refuse what does not exist so; then it still takes the key elsewhere.
        if self._send("GET", "/medias?page[size]=1", _HEADERS, None, self.key_form).status == _UNAUTHORIZED:
            raise KeyLostError(
                "The service does not take the key any more: it was accepted at first, and now gets 401."
            )

    def shows_key(self, exchange: Exchange) -> bool:
        """Return whether the key is in a response, as it is or as a query has it."""
        return any(
            text.encode() in exchange.content for text in (self._key.reveal(), quote(self._key.reveal(), safe=""))
        )

    def put_file(
        self, url: Secret, content: bytes | Iterator[bytes], headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """Send a file to a store, without the key. Raises the errors of `call`."""
        problem = None if urlsplit(url.reveal()).scheme in {"http", "https"} else "The upload URL is not an http URL."
        if problem:
            raise NotTriedError(problem)
        return self._file("PUT", url, dict(headers or {}), content)

    def get_file(self, url: Secret) -> Exchange:
        """GET a file without the key, or the beginning of a large one, also elsewhere. Raises the errors of `call`."""
        exchange = self._file("GET", url, _ANY, None)
        for _ in range(_MAX_REDIRECTS):
            location = exchange.headers.get("location")
            if not httpx.codes.is_redirect(exchange.status) or location is None:
                break
            exchange = self._file("GET", Secret(urljoin(exchange.url, location)), _ANY, None)
        return exchange

    def _file(self, method: str, url: Secret, headers: Mapping[str, str], content: Any) -> Exchange:
        self._count()
        exchange = self._exchange(method, url, headers, content)
        if exchange.status in _STORE_FAILED:
            raise NotTriedError(f"The store is unavailable: {method} of a file returned {exchange.status}.")
        return exchange

    def _send(self, method: str, url: str, sent: dict[str, str], content: bytes | None, form: KeyForm) -> Exchange:
        self._count()
        full: str | Secret = f"{self.base_url}{url}"
        fields: dict[str, str | SecretBytes] = dict(sent)
        if form == "query":
            full = Secret(f"{full}{'&' if '?' in url else '?'}api_key={quote(self._key.reveal(), safe='')}")
        elif form == "header":
            fields["X-API-KEY"] = SecretBytes(self._key.reveal().encode())
        elif form != "none":
            prefix = b"Bearer " if form == "bearer" else b""
            fields["Authorization"] = SecretBytes(prefix + self._key.reveal().encode())
        exchange = self._exchange(method, full, fields, content)._replace(url=url, sent=sent)
        if self._log is not None:
            self._log(f"{method} {redact_url(url)} -> {exchange.status}")
        return exchange

    def _exchange(
        self,
        method: str,
        url: str | Secret,
        fields: Mapping[str, str | SecretBytes],
        content: bytes | Iterable[bytes] | None,
    ) -> Exchange:
        # Exceptions of httpx contain the request, and its frames the key.
        outer = sys.exception()
        headers = [
            (name.encode(), value.encode() if isinstance(value, str) else value) for name, value in fields.items()
        ]
        try:
            with self._client.stream(
                method, url.reveal() if isinstance(url, Secret) else url, headers=headers, content=content
            ) as response:
                received = b""
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > MAX_BODY:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            drop_frames(error, outer)
            raise self._lost(method, url, error) from None
        self._failed = 0
        return Exchange(
            method,
            url.reveal() if isinstance(url, Secret) else url,
            {name: value for name, value in fields.items() if isinstance(value, str)},
            content if isinstance(content, bytes) else b"",
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            received,
        )

    def _lost(self, method: str, url: str | Secret, error: Exception) -> NotTriedError:
        text = url.reveal() if isinstance(url, Secret) else url
        message = f"{method} {urlsplit(text).path} got no response ({type(error).__name__})."
        self._failed += 1
        if self._failed >= _FAILED_CALLS:
            return RunEndedError(message)
        return LostResponseError(message, connected=not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)))

    def _count(self) -> None:
        if self._calls_left <= 0:
            raise RunEndedError("The limit of calls is reached.")
        if self.seconds_left <= 0:
            raise RunEndedError("The time limit is reached.")
        self._calls_left -= 1

    def _pause(self, exchange: Exchange) -> None:
        requested = requested_delay(exchange.headers, time.time())
        seconds = DEFAULT_PAUSE if requested is None else requested
        if seconds > min(MAX_PAUSE, self.seconds_left):
            raise TooManyRequestsError(f"The service asked for a pause of {seconds:,.0f} s (429). Try again later.")
        self.sleep(seconds)
