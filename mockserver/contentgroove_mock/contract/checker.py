"""Checks exchanges against the contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping  # noqa: TC003  # msgspec reads the fields' types at run time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from contentgroove._openapi import operations as openapi
from msgspec import Struct, structs

from contentgroove_mock.contract.operations import Operations
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.contract.violations import Violation, find_caller, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.operations import Operation

CONTRACT = Path(__file__).parents[1] / "contract.json"
FAULT_HEADER = "x-contentgroove-fault"
"""The simulator's mark of responses that a fault caused: their statuses need not be documented."""


class CheckedRequest(Struct, frozen=True):
    """A request.

    Attributes:
        method: In upper case.
        target: The path, percent-encoded, with the query.
        headers: By name; lookups use lower-case names.
        content: The body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, request: httpx.Request) -> CheckedRequest:
        """Make one from a request of httpx whose body was read."""
        return cls(request.method, request.url.raw_path.decode("ascii"), request.headers, request.content)


class CheckedResponse(Struct, frozen=True):
    """A response.

    Attributes:
        status: The HTTP status.
        headers: Like `CheckedRequest.headers`.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, response: httpx.Response) -> CheckedResponse:
        """Make one from a response of httpx that was read."""
        return cls(response.status_code, response.headers, response.content)


class Checker:
    """The contract, compiled; safe to share between threads.

    It is strict: whatever the contract does not declare is a violation, be it a path, a method, a status, a media type,
    a query parameter, a key of a filter or page, or a member of a body. Pass the API's calls only: redirected URLs,
    uploads to the file store and everything else that is not below the API's base path would be violations.

    Attributes:
        document: The contract.
        digest: The SHA-256 of its text.
        operations: Its operations by operationId.
        event_schemas: The schemas of its webhooks' bodies, by event.
        base_path: The path above all operations.
    """

    def __init__(self, document: Mapping[str, Any] | None = None, *, base_path: str | None = None) -> None:
        """Compile a contract.

        Args:
            document: An OpenAPI 3.0 document whose references all name schemas; ContentGroove's contract by default.
            base_path: The prefix of every path; by default that of the document's first server.
        """
        content = CONTRACT.read_bytes() if document is None else json.dumps(document).encode()
        contract: Json = json.loads(content)
        self.document = contract
        self.digest = hashlib.sha256(content).hexdigest()
        prefix = openapi.base_path(openapi.server_urls(contract)) if base_path is None else base_path
        self.base_path = prefix.rstrip("/")
        self._compiled = Operations(contract, self.base_path)
        self.operations: Mapping[str, Operation] = self._compiled.all
        self.event_schemas = {name: body.json_schema for name, body in self._compiled.webhooks.items()}

    def check(self, request: httpx.Request, response: httpx.Response) -> list[Violation]:
        """Check an exchange whose request and response were both read.

        Returns:
            The violations, the request's first; empty if there are none.
        """
        return self.check_exchange(CheckedRequest.from_httpx(request), CheckedResponse.from_httpx(response))

    def check_request(self, request: httpx.Request) -> list[Violation]:
        """Check a request that got no response; its body must have been read."""
        return self.check_exchange(CheckedRequest.from_httpx(request), None)

    def check_exchange(self, request: CheckedRequest, response: CheckedResponse | None) -> list[Violation]:
        """Check an exchange of any HTTP library."""
        return _with_caller(self._check_exchange(request, response))

    def check_call(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        status: int,
        response_headers: Mapping[str, str],
        response_body: bytes,
    ) -> list[Violation]:
        """Check an exchange whatever the API's base URL is; the SDK's option `on_contract_violation` calls this.

        Args:
            method: In upper case.
            path: The path below the API's base path, with the query.
            headers: The request's headers by lower-case name.
            content: The request's body.
            status: The response's status.
            response_headers: The response's headers.
            response_body: Its body, decompressed.
        """
        request = CheckedRequest(method, f"{self.base_path}{path}", headers, content)
        return self.check_exchange(request, CheckedResponse(status, response_headers, response_body))

    def check_webhook(self, content: bytes, headers: Mapping[str, str] | None = None) -> list[Violation]:
        """Check a webhook.

        Args:
            content: Its body.
            headers: Its headers by lower-case name; if omitted, its Content-Type is not checked.
        """
        return _with_caller(self._check_webhook(content, None if headers is None else headers.get("content-type")))

    def operation_of(self, method: str, target: str) -> Operation | None:
        """Return the operation that a request is for, None if there is no such operation.

        Args:
            method: In upper case.
            target: The path, percent-encoded, with or without a query.
        """
        return self._compiled.match(target.partition("?")[0])[1].get(method)

    def _check_exchange(self, request: CheckedRequest, response: CheckedResponse | None) -> Iterator[Violation]:
        path, _, query = request.target.partition("?")
        segments, methods = self._compiled.match(path)
        if not methods:
            message = f"there is no such path below {self.base_path or '/'}"
            yield Violation(None, "request.path", "unknown-path", message, short_repr(path))
            return
        operation = methods.get(request.method)
        if operation is None:
            message = f"{path} has {', '.join(methods)}"
            yield Violation(None, "request.method", "unknown-method", message, request.method)
            return
        pairs = parse_qsl(query, keep_blank_values=True) if query else ()
        yield from operation.check_request(segments, pairs, request.headers, request.content)
        if response is not None and not (
            FAULT_HEADER in response.headers and str(response.status) not in operation.statuses
        ):
            yield from operation.check_response(response.status, response.headers, response.content)

    def _check_webhook(self, content: bytes, media_type: str | None) -> Iterator[Violation]:
        webhooks = self._compiled.webhooks
        try:
            body = decode_json(content)
        except ValueError as error:
            yield Violation(None, "webhook.body", "json", f"the body is JSON: {error}", short_repr(content[:200]))
            return
        if not isinstance(body, dict):
            yield Violation(None, "webhook.body#", "type", "the body is an object", short_repr(body))
            return
        event = cast("dict[str, object]", body).get("event")
        if not isinstance(event, str) or event not in webhooks:
            message = f"the events are {', '.join(webhooks)}"
            yield Violation(None, "webhook.body#/event", "unknown-event", message, short_repr(event))
            return
        spec = webhooks[event]
        assumed = spec.types[0] if media_type is None and spec.types else media_type
        yield from spec.check(content, assumed, event, "webhook")


def _with_caller(violations: Iterator[Violation]) -> list[Violation]:
    found = list(violations)
    call = find_caller() if found else None
    return found if call is None else [structs.replace(violation, call=call) for violation in found]
