"""POSTs bodies of webhooks to an application, as the service would."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from contentgroove._core.redaction import redact_url
from contentgroove._core.secret import Secret
from contentgroove._core.settings import is_loopback
from contentgroove._core.tracebacks import drop_frames
from contentgroove._version import __version__
from contentgroove.webhooks.subscribing import TOKEN_PARAMETER, with_token

from .exit_codes import CommandError, ExitCode

TIMEOUT = 30.0
"""Seconds to wait for the receiver's response."""

JSON_TYPE = "application/json"

MAX_EXCERPT = 200
"""Characters of a response's text that are shown."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back.

    Attributes:
        status: The response's status; None if there was none.
        reason: Why it does not count as delivered; empty if it does.
        seconds: How long it took.
    """

    status: int | None
    reason: str
    seconds: float

    @property
    def delivered(self) -> bool:
        """Whether the service would count it as delivered."""
        return self.status == HTTPStatus.OK


class Target:
    """The URL that bodies are POSTed to.

    Args:
        url: The URL.
        token: Is added to the URL if that has none.
        allow_http: Allow plain http to another machine.

    Raises:
        CommandError: The URL cannot be used.

    Attributes:
        shown: The URL without its credentials.
    """

    def __init__(self, url: Secret, token: Secret | None, *, allow_http: bool = False) -> None:
        problem = _target_problem(url, allow_http=allow_http)
        if problem is not None:
            raise CommandError(ExitCode.USAGE, problem)
        has_token = TOKEN_PARAMETER in dict(parse_qsl(urlsplit(url.reveal()).query, keep_blank_values=True))
        self._url = url if token is None or has_token else Secret(with_token(url, token))
        self.shown = redact_url(url.reveal())

    # (assumed: webhook-redirects, webhook-content-type)
    def post(self, body: bytes, content_type: str = JSON_TYPE) -> Posted:
        """POST a body. A redirect is not followed: the service is not known to follow any."""
        import httpx

        started = time.monotonic()
        headers = {"Content-Type": content_type, "User-Agent": f"contentgroove-cli/{__version__}"}
        try:
            # Without a proxy, because the URL contains the token.
            with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
                response = client.post(self._url.reveal(), content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            drop_frames(error, None)
            return Posted(None, type(error).__name__, time.monotonic() - started)
        reason = "" if response.status_code == HTTPStatus.OK else response.text[:MAX_EXCERPT].strip()
        if response.is_redirect:
            reason = f"The redirect to {redact_url(response.headers['location'])} was not followed."
        return Posted(response.status_code, reason, time.monotonic() - started)

    def require_delivered(self, posted: Posted) -> None:
        """Raise a CommandError if the service would not count it as delivered."""
        if posted.status is None:
            message = f"Cannot reach {self.shown}: {posted.reason}."
            raise CommandError(ExitCode.NETWORK, message, "Check that it is listening.")
        if not posted.delivered:
            raise CommandError(
                ExitCode.REFUSED,
                f"{self.shown} returned {posted.status}; for the service, only 200 means delivered.",
                posted.reason,
            )


def _target_problem(url: Secret, *, allow_http: bool) -> str | None:
    shown = redact_url(url.reveal())
    try:
        parts = urlsplit(url.reveal())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "The URL is not valid."
    if not host or parts.scheme not in {"http", "https"}:
        return f"{shown} is not an http or https URL."
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        return (
            f"{shown} is on another machine, and bodies contain signed URLs: use https, or pass --allow-http if "
            "the network between is yours, such as that of Docker."
        )
    return None
