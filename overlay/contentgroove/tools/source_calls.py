"""The calls of added sources: to which server, with which credentials, and what is made of the response.

An operation's requests go to a server that its document names or to the base URL that the caller named. If the caller
named one, it stands for the document's own servers, and the caller's credentials are sent to no other origin.
"""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import anyio.to_thread
from msgspec import Struct

from contentgroove.errors import RETRYABLE_STATUSES

from . import network
from .credentials import Credentials
from .network import check_url, origin_of
from .requests import build_request
from .responses import body_data, http_facts
from .results import Success, ToolError, error_code
from .source_documents import is_complete, usable_servers
from .upload_root import read_below

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove._openapi.documents import Json

    from .credentials import SourceCredentials
    from .network import NetworkPolicy, Origin
    from .operations import Operation
    from .registry import ProgressCallback, ToolFunction
    from .source_documents import Document


class Source(Struct, frozen=True):
    """A source that was added.

    Attributes:
        name: Its namespace.
        base_url: The URL that its calls start with; None if each of its operations has its own server.
        is_requested: Whether the caller named that URL.
        main_url: The document's server that this URL stands for; None if the document has none.
        document_url: The URL that the document was fetched from; None if it was not fetched.
        credentials: What its calls contain in addition.
        policy: Which addresses its calls may use.
        upload_root: The folder with the files that its calls may send; None if they may send none.
    """

    name: str
    base_url: str | None
    is_requested: bool
    main_url: str | None
    document_url: str | None
    credentials: SourceCredentials
    policy: NetworkPolicy
    upload_root: Path | None = None

    def __repr__(self) -> str:
        return f"Source(name={self.name!r})"

    def server_of(self, operation: Operation) -> str:
        """Return the URL that an operation's requests start with.

        Raises:
            ToolError: There is no server that requests may be sent to.
        """
        if not operation.servers:
            if self.base_url is None:
                raise ToolError("invalid_input", "It has no server that calls can be sent to: pass baseUrl.")
            return self.base_url
        return first_allowed([*filter(None, map(self._own_server, operation.servers))], self.policy)

    def credentials_for(self, operation: Operation) -> Credentials:
        """Return what an operation's requests contain in addition."""
        if self.is_requested and self.base_url and origin_of(self.server_of(operation)) != origin_of(self.base_url):
            return Credentials()
        return self.credentials.for_operation(operation.security)

    def _own_server(self, url: str) -> str | None:
        """Return the URL of an operation's own server, None if it cannot be used."""
        if not is_complete(url):
            relative_to = None if self.is_requested else self.document_url
            base = relative_to or (f"{self.base_url}/" if self.base_url else None)
            url = urljoin(base, url) if base and "://" not in url else url
            return url.rstrip("/") if is_complete(url) else None
        url = url.rstrip("/")
        if not self.is_requested or not self.base_url or not self.main_url:
            return url
        if url == self.main_url:
            return self.base_url
        if _origin(url) != _origin(self.main_url):
            return url
        return urljoin(self.base_url, urlsplit(url).path).rstrip("/")


def _origin(url: str) -> Origin | None:
    try:
        return origin_of(url)
    except ToolError:
        return None


def first_allowed(urls: list[str], policy: NetworkPolicy) -> str:
    """Return the first URL that may be called.

    Raises:
        ToolError: None may be called; the message is about the first one.
    """
    first: ToolError | None = None
    for url in urls:
        try:
            check_url(origin_of(url), policy.allowed)
        except ToolError as error:
            first = first or error
        else:
            return url
    raise first or ToolError("invalid_input", "It has no server that calls can be sent to: pass baseUrl.")


def main_server(document: Document) -> str | None:
    """Return the server that a document's operations have in general; None if there is none."""
    own = [url for operation in document.operations for url in operation.servers]
    return next(iter(usable_servers([*document.servers, *own])), None)


def caller(operation: Operation, source: Source) -> ToolFunction:
    """Return the function that calls an operation."""

    async def run(arguments: Json, _report: ProgressCallback) -> Success:
        server, credentials = source.server_of(operation), source.credentials_for(operation)

        def read(name: str) -> bytes:
            return read_below(source.upload_root, name)

        # In a thread, because it may read a file.
        build = partial(build_request, operation, arguments, credentials=credentials, read_file=read)
        call = await anyio.to_thread.run_sync(build)
        url = call.url(server)
        response = await network.send(call.method, url, call.headers, call.content, source.policy)
        data, facts = (
            body_data(response.content, response.headers),
            http_facts(response.status, response.headers, time.time()),
        )
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return Success(data, facts)
        raise _failed(operation, source, url, {"body": data, **facts})

    return run


def _failed(operation: Operation, source: Source, url: str, details: Json) -> ToolError:
    status: int = details.pop("status")
    idempotent = operation.method not in {"POST", "PATCH"} or status == HTTPStatus.TOO_MANY_REQUESTS
    note = " Redirects are not followed." if status < HTTPStatus.BAD_REQUEST else ""
    missing = source.credentials.missing(operation.security)
    if missing and status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        note = f" It needs credentials that the source was added without: {' or '.join(missing)[:200]}."
    return ToolError(
        error_code(status),
        f"{operation.method} {network.printable_url(url)}: status {status}.{note}",
        status=status,
        details=details,
        retryable=idempotent and status in RETRYABLE_STATUSES,
    )
