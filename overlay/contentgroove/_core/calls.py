"""One call of the API: what it sends, and what its answer decodes to or fails with."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, structs

from contentgroove.errors import RequestInfo

from .decoding import BodyMismatchError
from .effects import Response, TransportFailure
from .headers import Headers
from .redaction import REDACTED, echoed_key_pattern, redact_url
from .retries import Pacing, RetryPolicy, send_with_retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from contentgroove.errors import ContentGrooveError, ResponseDecodeError

    from .effects import Flow

T = TypeVar("T")


class Operation(Struct, Generic[T], frozen=True):
    """One call of the API.

    Attributes:
        request: What to send.
        decode: Makes the result of a success's body.
        idempotent: Whether the request does no more when it arrives twice than when it arrives once.
        accept_404_on_retry: Whether "not found" on a repeated attempt means that an earlier one succeeded.
    """

    request: Request
    decode: Callable[[bytes], T]
    idempotent: bool = True
    accept_404_on_retry: bool = False


class Session(Struct, frozen=True):
    """What calls of one client share.

    Attributes:
        pacing: Retry policy, cool-down, clock and chance.
        base_url: For messages; where requests go is the shells' affair.
        last_key: Gives the API key that was last sent, so that it can be taken out of what a server echoes.
    """

    pacing: Pacing
    base_url: str
    last_key: Callable[[], str]

    def with_policy(self, policy: RetryPolicy) -> Session:
        """Give the session with another retry policy; cool-down and clock are shared."""
        return structs.replace(self, pacing=structs.replace(self.pacing, policy=policy))


def call(operation: Operation[T], session: Session) -> Flow[tuple[Response, T]]:
    """Send an operation with retries and decode its answer.

    Raises:
        ContentGrooveError: As the answer or its absence demands.
    """
    outcome, attempts = yield from send_with_retries(operation.request, session.pacing, idempotent=operation.idempotent)
    if isinstance(outcome, TransportFailure) or not outcome.is_success:
        gone = isinstance(outcome, Response) and outcome.status_code == HTTPStatus.NOT_FOUND
        if isinstance(outcome, TransportFailure) or not (gone and operation.accept_404_on_retry and attempts > 1):
            raise _error(operation, outcome, attempts, session)
    try:
        return outcome, operation.decode(outcome.content)
    except BodyMismatchError as error:
        raise decode_error(operation, outcome, session, error) from error


def _error(
    operation: Operation[Any], outcome: Response | TransportFailure, attempts: int, session: Session
) -> ContentGrooveError:
    # Imported when something fails: a program that all goes well for does without.
    from .answers import error_from_response, error_from_transport_failure

    info, repeatable = request_info(operation.request, session), operation.idempotent
    if isinstance(outcome, TransportFailure):
        error = error_from_transport_failure(outcome, info, idempotent=repeatable, attempts=attempts)
        error.__cause__ = outcome.cause
        return error
    redacted, now = redact_key(outcome, session.last_key()), session.pacing.clock.time()
    return error_from_response(redacted, info, idempotent=repeatable, attempts=attempts, now=now)


def decode_error(
    operation: Operation[Any], response: Response, session: Session, error: BodyMismatchError
) -> ResponseDecodeError:
    """Make the error of a success whose body does not fit the contract."""
    from .answers import response_decode_error

    return response_decode_error(
        redact_key(response, session.last_key()), request_info(operation.request, session), str(error)
    )


def redact_key(response: Response, key: str) -> Response:
    """Take the key out of an answer that an error will show: a server may echo what it was sent."""
    echo = echoed_key_pattern(key)
    headers = Headers((name.encode(), re.sub(echo, REDACTED, text).encode()) for name, text in response.headers.items())
    return Response(response.status_code, headers, re.sub(echo.encode(), REDACTED.encode(), response.content))


def request_info(request: Request, session: Session) -> RequestInfo:
    """Name a request as errors show it."""
    query = f"?{request.query}" if request.query else ""
    return RequestInfo(request.method, redact_url(f"{session.base_url}{request.path}{query}"))


def decode_nothing(_content: bytes) -> None:
    """Decode an answer whose body means nothing, such as a 204's."""
