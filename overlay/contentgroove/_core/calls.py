"""One call of the API: its request with retries, and its result or error."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, field

from contentgroove.errors import RequestInfo

from .io import InOneProcess
from .redaction import redact_echo, redact_url
from .responses import BodyMismatchError, Response, TransportFailure, redact_response
from .retries import TOO_MANY_REQUESTS, RetryPolicy, requested_delay, should_retry
from .tracebacks import drop_frames, with_safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove_api.types import Request

    from contentgroove.errors import ContentGrooveError, RateLimitError

    from .io import IO, Clock, Timeouts
    from .pacing import Ceiling, Cooldown, Pacer
    from .settings import Settings

T = TypeVar("T")

_MOVES_ITEMS = frozenset({"DELETE", "PATCH", "PUT"})
"""Methods that can move items to pages of a list that were read. What POST adds is found without that."""


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


class Writes:
    """The calls of a client that change or delete something: they move items between the pages of lists.

    Threads and tasks share it; each of its steps is atomic.
    """

    def __init__(self) -> None:
        self._latest = object()
        self._running: set[object] = set()

    def mark(self) -> object:
        """Return a mark of this moment."""
        return self._latest

    def happened_since(self, mark: object) -> bool:
        """Return whether such a call ended since then, or is running: the service may have done it already."""
        # In this order, the reverse of `end`: what ends between the two is seen by one of them.
        return bool(self._running) or self._latest is not mark

    def begin(self) -> object:
        """Record the start of a call; pass the returned token to `end`."""
        token = object()
        self._running.add(token)
        return token

    def end(self, token: object) -> None:
        """Record the end of a call, whether it succeeded or not."""
        # In this order: a moment in which neither shows the call would hide it.
        self._latest = token
        self._running.discard(token)


class Session(Struct, frozen=True):
    """What the calls of one client share.

    Attributes:
        io: Sends, sleeps and calls back.
        settings: The API key and the base URL.
        timeouts: The limits of each request.
        policy: How often and how long requests are retried.
        pacer: When calls start after a 429, for all calls of the client.
        clock: The source of time.
        random: Returns numbers from 0 up to 1, for jitter.
        ceiling: The rate that the application allows, None for any.
        stores: The pauses that stores have requested, by scheme, host and port.
        time_limit: Seconds that each step of one attempt may take at most, None for the timeouts alone.
        writes: The calls of the client that change or delete something.
    """

    io: IO
    settings: Settings
    timeouts: Timeouts
    policy: RetryPolicy
    pacer: Pacer
    clock: Clock
    random: Callable[[], float]
    ceiling: Ceiling | None = None
    stores: dict[str, Cooldown] = field(default_factory=dict[str, "Cooldown"])
    time_limit: float | None = None
    writes: Writes = field(default_factory=Writes)


@with_safe_repr
class RawResponse(InOneProcess, Generic[T]):
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
    if operation.request.method in _MOVES_ITEMS:
        token = session.writes.begin()
        try:
            outcome, attempts = await send_with_retries(operation, session)
        finally:
            session.writes.end(token)
    else:
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

        # The body, which may be a presigned URL, is a variable of the functions that decode.
        drop_frames(error, error.__cause__ and error.__cause__.__context__)
        keys = session.settings.sent_keys()
        reason = redact_echo(str(error), keys)
        redacted, cause = redact_response(response, keys), error if reason == str(error) else None
        info = request_info(operation.request, session)
        raise response_decode_error(redacted, info, reason, idempotent=operation.idempotent) from cause


async def send_with_retries(operation: Operation[Any], session: Session) -> tuple[Response | TransportFailure, int]:
    """Send a request as often as the policy allows; return the last outcome and the number of attempts.

    Raises:
        RateLimitError: It was not sent at all, because the service requested a pause that is too long for it.
    """
    policy, clock, pacer = session.policy, session.clock, session.pacer
    deadline = clock.monotonic() + policy.deadline
    attempts = counted = ticket = 0
    outcome: Response | TransportFailure | None = None
    while True:
        if session.ceiling is not None:
            await _wait_for_ceiling(session.ceiling, operation, session)
            if not attempts:
                # The application's own ceiling takes no time from a call.
                deadline = clock.monotonic() + policy.deadline
        if not pacer.is_open:
            # A call keeps its first ticket: what was refused comes before what arrived later.
            ticket = ticket or pacer.take_ticket()
            too_late = await _wait_for_turn(ticket, session, deadline)
            if too_late is not None:
                if outcome is None:
                    raise _not_sent_error(operation, _PAUSED, too_late, session)
                return outcome, attempts
        epoch = pacer.epoch
        try:
            outcome = await session.io.send(operation.request, session.timeouts, session.time_limit)
        except BaseException:
            # A cancelled probe must not keep the others waiting.
            pacer.record_unknown(epoch, clock.monotonic())
            raise
        attempts += 1
        if isinstance(outcome, Response) and outcome.is_success:
            if not (pacer.is_open and pacer.has_passed):
                pacer.record_passed(epoch, clock.monotonic())
            return outcome, attempts
        requested, counts = _record_failure(outcome, epoch, session)
        counted += counts
        if counted > policy.max_retries or not _may_retry(operation, outcome, requested, policy):
            return outcome, attempts
        if not _is_refusal(outcome):
            # A refused call gets its turn like all others.
            delay = policy.backoff(counted - 1, session.random) if requested is None else requested
            if clock.monotonic() + delay > deadline:
                return outcome, attempts
            await session.io.sleep(delay)


_PAUSED = "the service refused an earlier call with 429 and requested a pause"


def _is_refusal(outcome: Response | TransportFailure) -> bool:
    return isinstance(outcome, Response) and outcome.status_code == TOO_MANY_REQUESTS


def _may_retry(
    operation: Operation[Any], outcome: Response | TransportFailure, requested: float | None, policy: RetryPolicy
) -> bool:
    """Return whether to send again, unless the number of retries is used up."""
    if not policy.max_retries or (requested is not None and requested > policy.max_retry_after):
        return False
    return should_retry(outcome, idempotent=operation.idempotent)


def _record_failure(outcome: Response | TransportFailure, epoch: int, session: Session) -> tuple[float | None, bool]:
    """Tell the pacer of a failure; return the delay that it requests, and whether it counts as one of the attempts."""
    pacer, now = session.pacer, session.clock.monotonic()
    if isinstance(outcome, TransportFailure):
        pacer.record_unknown(epoch, now)
        return None, True
    requested = requested_delay(outcome.headers, session.clock.time())
    if _is_refusal(outcome):
        return requested, not pacer.record_refused(epoch, now, requested, partial(session.policy.pause, session.random))
    if outcome.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        pacer.record_passed(epoch, now)
    else:
        pacer.record_unknown(epoch, now)
    return requested, True


async def _wait_for_ceiling(ceiling: Ceiling, operation: Operation[Any], session: Session) -> None:
    """Wait for the time at which the application's own ceiling lets a call start."""
    now = session.clock.monotonic()
    delay = ceiling.reserve(now) - now
    if session.time_limit is not None and delay > session.time_limit:
        raise _not_sent_error(operation, "the client's rate_limit= leaves no turn in time", delay, session)
    if delay > 0:
        await session.io.sleep(delay)


async def _wait_for_turn(ticket: int, session: Session, deadline: float) -> float | None:
    """Wait until a call may start after a 429; return the seconds after which it may, at once, if that is too late."""
    pacer, clock = session.pacer, session.clock
    now = clock.monotonic()
    try:
        while wait := pacer.try_start(ticket, now):
            paused_until = pacer.paused_until()
            if max(now, paused_until) > deadline or paused_until - now > session.policy.max_retry_after:
                return paused_until - now if paused_until > now else wait
            await session.io.sleep(wait)
            # A test's sleep may take no time: it counts as if it had.
            now = max(clock.monotonic(), now + wait)
        return None
    finally:
        pacer.leave(ticket)


def _not_sent_error(operation: Operation[Any], reason: str, delay: float, session: Session) -> RateLimitError:
    from .error_mapping import not_sent_error

    return not_sent_error(request_info(operation.request, session), reason, delay, session.clock.time())


def _error(
    operation: Operation[Any], outcome: Response | TransportFailure, attempts: int, session: Session
) -> ContentGrooveError:
    # Imported only if something fails, because most programs do not need it.
    from .error_mapping import error_from_response, error_from_transport_failure

    info, idempotent = request_info(operation.request, session), operation.idempotent
    if isinstance(outcome, TransportFailure):
        keys = session.settings.sent_keys()
        error = error_from_transport_failure(outcome, info, idempotent=idempotent, attempts=attempts, secrets=keys)
        error.__cause__ = outcome.cause_without(keys)
        return error
    redacted, now = redact_response(outcome, session.settings.sent_keys()), session.clock.time()
    return error_from_response(redacted, info, idempotent=idempotent, attempts=attempts, now=now)


def request_info(request: Request, session: Session) -> RequestInfo:
    """Describe a request for errors, redacted."""
    query = f"?{request.query}" if request.query else ""
    return RequestInfo(request.method, redact_url(f"{session.settings.base_url}{request.path}{query}"))


def decode_nothing(_content: bytes) -> None:
    """Ignore the body, such as that of a 204."""
