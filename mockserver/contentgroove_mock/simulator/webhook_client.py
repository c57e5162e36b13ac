"""The HTTP client that sends webhooks: which certificates it trusts, and why an attempt failed, in words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, cast

import certifi

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

_OTHER_NAME = frozenset({62, 64})
"""OpenSSL's codes for a certificate of another host name or IP address, for which `ssl` has no names."""


def trust(authority: Path | str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the public authorities, and one more.

    Args:
        authority: The PEM file of a certificate authority's certificate, such as mkcert's `rootCA.pem`.

    Raises:
        OSError: The file cannot be read.
        ValueError: It contains no certificate.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if authority is None:
        return context
    path = Path(authority)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(error.errno, f"Cannot read the webhook CA {path}: {error.strerror}") from error
    try:
        context.load_verify_locations(cadata=content.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        message = f"{path} is not a certificate in PEM format: pass the CA's own certificate, not its key"
        raise ValueError(message) from error
    return context


def open_client(context: ssl.SSLContext) -> httpx.AsyncClient:
    """Open a client that uses no proxy and follows no redirect; the sender limits the time."""
    # Loaded when a webhook is sent, so that a simulator without subscribers starts faster.
    import httpx

    return httpx.AsyncClient(verify=context, timeout=None, trust_env=False, follow_redirects=False)  # noqa: S113  # see above


def describe_failure(failure: Exception) -> str:
    """Return why there is no response, for a person: what TLS or the system said, else the exception's name."""
    for error in _causes(failure):
        if isinstance(error, ssl.SSLCertVerificationError):
            if error.verify_code in _OTHER_NAME:
                return (
                    f"the receiver's certificate is for another name ({error.verify_message}): issue one for this host"
                )
            return (
                f"the receiver's certificate is not trusted ({error.verify_message}): "
                "pass the CA that signed it as webhook_ca, or --webhook-ca"
            )
        if isinstance(error, ssl.SSLError):
            reason = (error.reason or str(error)).lower().replace("_", " ")
            return f"no TLS connection ({reason}): does the receiver speak https at this port?"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused: nothing listens at this address"
    return type(failure).__name__


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, members of groups included."""
    pending: list[BaseException | None] = [failure]
    seen: set[int] = set()
    while pending:
        error = pending.pop(0)
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            pending += cast("BaseExceptionGroup[BaseException]", error).exceptions
        pending += [error.__cause__, error.__context__]
