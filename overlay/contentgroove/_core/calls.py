"""One call of the API: its request with retries, and its result or error."""

from __future__ import annotations

import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from contentgroove.errors import RequestInfo

from .redaction import REDACTED, echoed_key_pattern, redact_url
from .responses import BodyMismatchError, Headers, Response, TransportFailure
from .retries import TOO_MANY_REQUESTS, Cooldown, RetryPolicy, parse_retry_after, should_retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove_api.types import Request

    from contentgroove.errors import ContentGrooveError

    from .io import IO, Clock, Timeouts
    from .settings import Settings

T = TypeVar("T")


class Operation(Struct, Generic[T], frozen=True):
    """One call of the API.

    Attributes:
        request: What to send.
        decode: Creates the result from the body of a success.
        idempotent: Whether the request may arrive twice without doing more.
        accept_404_on_retry: Whether "not found" after a retry means that an earlier attempt succeeded.
    """

    request: Request
    decode: Callable[[bytes], T]
    idempotent: bool = True
    accept_404_on_retry: bool = False


class Session(Struct, frozen=True):
    """What the calls of one client share.

    Attributes:
        io: Sends, sleeps and calls back.
        settings: The API key and the base URL.
        timeouts: The limits of each request.
        policy: How often and how long requests are retried.
        cooldown: The pause after a 429, for all calls of the client.
        clock: The source of time.
        random: Returns numbers from 0 up to 1, for jitter.
        time_limit: Seconds that each step of one attempt may take at most, None for the timeouts alone.
    """

    io: IO
    settings: Settings
    timeouts: Timeouts
    policy: RetryPolicy
    cooldown: Cooldown
    clock: Clock
    random: Callable[[], float]
    time_limit: float | None = None


class RawResponse(Generic[T]):
    """A response before it is decoded.

    Attributes:
        status_code: The HTTP status: a 2xx, because errors are raised, or 404 if a retry of a DELETE found that an
            earlier attempt had succeeded.
        headers: The response's headers.
        content: The body.
    """

    def __init__(self, response: Response, operation: Operation[T], session: Session) -> None:
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.content = response.content
        self._response = response
        self._operation = operation
        self._session = session

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code}, bytes={len(self.content)})"

    def parse(self) -> T:
        """Decode the body, as the call without `with_raw_response` does.

        Raises:
            ResponseDecodeError: The body is not JSON, or lacks what is needed to read anything of it, such as the id.
        """
        return decode_response(self._operation, self._response, self._session)


async def call(operation: Operation[T], session: Session) -> T:
    """Send an operation with retries and decode its response; raise a ContentGrooveError for any failure."""
    return decode_response(operation, await fetch_response(operation, session), session)


async def call_raw(operation: Operation[T], session: Session) -> RawResponse[T]:
    """Send an operation with retries, without decoding its response; raise a ContentGrooveError for any failure."""
    return RawResponse(await fetch_response(operation, session), operation, session)


async def fetch_response(operation: Operation[Any], session: Session) -> Response:
    """Send an operation with retries and return its response; raise a ContentGrooveError for any other outcome."""
    outcome, attempts = await send_with_retries(operation, session)
    if isinstance(outcome, Response):
        was_retried = operation.accept_404_on_retry and attempts > 1
        if outcome.is_success or (was_retried and outcome.status_code == HTTPStatus.NOT_FOUND):
            return outcome
    raise _error(operation, outcome, attempts, session)


def decode_response(operation: Operation[T], response: Response, session: Session) -> T:
    """Decode the response of an operation; raise a ResponseDecodeError if nothing of it can be read."""
    try:
        return operation.decode(response.content)
    except BodyMismatchError as error:
        from .error_mapping import response_decode_error

        redacted = redact_key(response, session.settings.last_key())
        info = request_info(operation.request, session)
        raise response_decode_error(redacted, info, str(error), idempotent=operation.idempotent) from error


async def send_with_retries(operation: Operation[Any], session: Session) -> tuple[Response | TransportFailure, int]:
    """Send a request as often as the policy allows; return the last outcome and the number of attempts."""
    policy, clock = session.policy, session.clock
    deadline = math.inf
    attempt = 0
    outcome: Response | TransportFailure | None = None
    while True:
        in_time = await _wait_for_cooldown(session, deadline)
        if outcome is None:
            deadline = clock.monotonic() + policy.deadline
        elif not in_time:
            return outcome, attempt
        outcome = await session.io.send(operation.request, session.timeouts, session.time_limit)
        attempt += 1
        if isinstance(outcome, Response) and outcome.is_success:
            return outcome, attempt
        delay = policy.backoff(attempt - 1, session.random)
        if isinstance(outcome, Response):
            retry_after = parse_retry_after(outcome.headers.get("retry-after"), clock.time())
            if retry_after is not None:
                delay = min(retry_after, policy.max_retry_after)
            if outcome.status_code == TOO_MANY_REQUESTS:
                session.cooldown.extend(clock.monotonic() + delay)
        if attempt > policy.max_retries or not should_retry(outcome, idempotent=operation.idempotent):
            return outcome, attempt
        if clock.monotonic() + delay > deadline:
            return outcome, attempt
        await session.io.sleep(delay)


async def _wait_for_cooldown(session: Session, deadline: float) -> bool:
    """Wait for the end of a cool-down; return False, at once, if that is after the deadline."""
    cooldown, clock = session.cooldown, session.clock
    waited_for = 0.0
    # Only a later end is waited for again: a test's sleep may take no time, and would be called without end.
    while (remaining := cooldown.remaining(clock.monotonic())) and cooldown.until > waited_for:
        if clock.monotonic() + remaining > deadline:
            return False
        waited_for = cooldown.until
        # Spread out, or all waiting calls would be sent in the same instant.
        await session.io.sleep(remaining + session.random() * min(1.0, remaining))
    return True


def _error(
    operation: Operation[Any], outcome: Response | TransportFailure, attempts: int, session: Session
) -> ContentGrooveError:
    # Imported only if something fails, because most programs do not need it.
    from .error_mapping import error_from_response, error_from_transport_failure

    info, idempotent = request_info(operation.request, session), operation.idempotent
    if isinstance(outcome, TransportFailure):
        error = error_from_transport_failure(outcome, info, idempotent=idempotent, attempts=attempts)
        error.__cause__ = outcome.cause
        return error
    redacted, now = redact_key(outcome, session.settings.last_key()), session.clock.time()
    return error_from_response(redacted, info, idempotent=idempotent, attempts=attempts, now=now)


def redact_key(response: Response, key: str) -> Response:
    """Remove the key from a response that an error will contain: a server may echo it."""
    echo = echoed_key_pattern(key)
    headers = Headers((name.encode(), re.sub(echo, REDACTED, text).encode()) for name, text in response.headers.items())
    return Response(response.status_code, headers, re.sub(echo.encode(), REDACTED.encode(), response.content))


def request_info(request: Request, session: Session) -> RequestInfo:
    """Describe a request for errors, redacted."""
    query = f"?{request.query}" if request.query else ""
    return RequestInfo(request.method, redact_url(f"{session.settings.base_url}{request.path}{query}"))


def decode_nothing(_content: bytes) -> None:
    """Ignore the body, such as that of a 204."""
