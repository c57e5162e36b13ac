"""The contract's operations, compiled for checks of their requests and responses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from contentgroove._openapi import operations
from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.pointers import resolve

from contentgroove_mock.contract.bodies import BodySpec
from contentgroove_mock.contract.conventions import value_schemas
from contentgroove_mock.contract.credentials import Credentials, cookies
from contentgroove_mock.contract.exchanges import check_empty, check_retry_after, responds_to_condition
from contentgroove_mock.contract.filters import Filters, attribute_kinds
from contentgroove_mock.contract.parameters import Parameter, Query, check_texts
from contentgroove_mock.contract.paths import PathTable, base_patterns, normalized, parameter_names, without_query
from contentgroove_mock.contract.resources import Documents
from contentgroove_mock.contract.schemas import Components
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.conventions import Conventions
    from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.contract.paths import Match

_EMPTY = frozenset({"204", "304"})
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
"""Headers that the document describes elsewhere: OpenAPI ignores parameters of these names."""


class ResponseSpec:
    """One documented response of an operation."""

    def __init__(self, status: str, declaration: dict[str, Any], components: Components, location: str) -> None:
        self._empty = status in _EMPTY
        self.body = BodySpec(declaration, components, "response", location)
        self._headers = [
            Parameter.from_declaration({**header, "name": name, "in": "header"}, components, "response", location)
            for name, header in _headers(declaration, components)
            if name.lower() != "content-type"
        ]

    def check(
        self,
        method: str,
        response: CheckedResponse,
        operation: str,
        further: Callable[[object], Iterator[Violation]] | None,
    ) -> Iterator[Violation]:
        """Check a response with this status; `further` checks the JSON in it."""
        headers = response.headers
        yield from check_texts(self._headers, headers, operation, "response")
        if method == "HEAD":
            yield from check_empty(operation, response.content, "the request was HEAD")
            return
        yield from self.body.check(
            response.content,
            headers.get("content-type"),
            operation,
            "response",
            required=not self._empty,
            further=further,
        )


class Operation:
    """One operation.

    Attributes:
        name: Its operationId.
        method: In upper case.
        path: Its path template, without the server's base path.
        statuses: The documented statuses.
        success: The schema of the JSON body of the first documented success; empty if there is none.
        query: The parameters of its query.
        kinds: The kinds of the attributes of its resources, if its documents are those of JSON:API.
    """

    def __init__(
        self, documented: operations.Operation, components: Components, conventions: Conventions, servers: Sequence[str]
    ) -> None:
        self.name = documented.operation_id or str(documented)
        self.method = documented.method
        self.path = documented.path
        self._responses = {
            status.upper() if status.lower() != "default" else "default": ResponseSpec(
                status, response, components, f"{documented}: response {status}"
            )
            for status, response in documented.responses.items()
        }
        self.statuses = tuple(self._responses)
        success = min((status for status in self.statuses if status.startswith("2")), default=None)
        self.success: Mapping[str, Any] = {} if success is None else self._responses[success].body.json_schema
        self._credentials = Credentials(documented, single=conventions.one_credential)
        components.problems += self._credentials.problems
        parameters = [
            Parameter.from_declaration(declaration, components, "request", f"{documented}: {declaration.get('name')}")
            for declaration in documented.parameters
        ]
        query = [item for item in parameters if item.location == "query"]
        self.query = Query(query, self._credentials.in_query, components)
        in_path = {item.name: item for item in parameters if item.location == "path"}
        self._in_path = [in_path.get(name) for name in parameter_names(without_query(self.path))]
        self._in_headers = [
            item for item in parameters if item.location == "header" and item.name.lower() not in _NOT_PARAMETERS
        ]
        self._in_cookies = [item for item in parameters if item.location == "cookie"]
        self.body = BodySpec(documented.body, components, "request", f"{documented}: request body")
        self.kinds: Mapping[str, Kind] = {}
        self._documents: Documents | None = None
        if conventions.json_api:
            if success is not None:
                self.kinds = attribute_kinds(self._responses[success].body.json_prepared, components)
            self._documents = Documents(conventions, servers, frozenset(self.kinds))
        if conventions.filter_parameter is not None and self.kinds:
            self.query.filters = Filters(conventions.filter_parameter, self.kinds)

    def check_request(self, values: Sequence[str], query: str, request: CheckedRequest) -> Iterator[Violation]:
        """Check a request.

        Args:
            values: The texts of the path's parameters, in their order and percent-encoded.
            query: The query, encoded.
            request: The request.
        """
        headers = request.headers
        for parameter, text in zip(self._in_path, values, strict=False):
            if parameter is not None:
                location = f"request.path.{parameter.name}"
                if unquote(text) in {".", ".."}:
                    message = "a dot segment leads to another path (RFC 3986, section 6.2.2)"
                    yield Violation(self.name, location, "path-parameter", message, short_repr(text))
                elif self._documents is not None and not unquote(text).strip():
                    yield Violation(self.name, location, "empty-id", "an id is not empty", short_repr(text))
                yield from parameter.check([text], self.name, location, "path-parameter")
        if query or self.query.required:
            yield from self.query.check(query, self.name)
        if self._in_headers:
            yield from check_texts(self._in_headers, headers, self.name, "request")
        if self._in_cookies:
            yield from check_texts(self._in_cookies, cookies(headers), self.name, "request")
        if (unauthenticated := self._credentials.check(self.name, query, headers)) is not None:
            yield unauthenticated
        yield from self.body.check(
            request.content, headers.get("content-type"), self.name, "request", further=self._check_sent
        )

    def documents(self, status: int) -> bool:
        """Return whether a status is documented by itself, or by its range."""
        return str(status) in self._responses or f"{status // 100}XX" in self._responses

    def check_response(self, request: CheckedRequest, response: CheckedResponse) -> Iterator[Violation]:
        """Check a response."""
        status = response.status
        documented = (str(status), f"{status // 100}XX", "default")
        spec = next((self._responses[key] for key in documented if key in self._responses), None)
        yield from check_retry_after(self.name, response.headers)
        if not self.documents(status) and responds_to_condition(request.method, request.headers, status):
            if str(status) in _EMPTY:
                yield from check_empty(self.name, response.content, f"the status is {status}")
            return
        if spec is None:
            message = f"documented are {', '.join(self.statuses)}"
            yield Violation(self.name, "response.status", "unknown-status", message, str(status))
            return

        def check_received(body: object) -> Iterator[Violation]:
            if self._documents is not None:
                yield from self._documents.check_response(self.name, status, body, request)

        yield from spec.check(request.method, response, self.name, check_received)

    def _check_sent(self, body: object) -> Iterator[Violation]:
        if self._documents is not None:
            yield from self._documents.check_request(self.name, self.method, body)


class Operations:
    """All operations of a contract, and the bodies of its webhooks by event.

    Attributes:
        all: The operations by their names.
        webhooks: The bodies of callbacks and webhooks by their names.
        receiver_statuses: The statuses that the document has for their receivers, in upper case; empty if it has none.
        problems: What of the document cannot be checked.
    """

    def __init__(self, document: Json, base_path: str | None, conventions: Conventions) -> None:
        described = [*operations.operations(document)]
        events = [callback.callback for item in described for callback in item.callbacks]
        components = Components(document, value_schemas(conventions, [*events, *as_object(document.get("webhooks"))]))
        servers = operations.server_urls(document)
        self.problems = components.problems
        self.all: dict[str, Operation] = {}
        self.webhooks: dict[str, BodySpec] = {}
        self.receiver_statuses: dict[str, tuple[str, ...]] = {}
        tables: dict[str, PathTable[Operation]] = {}
        for documented in described:
            operation = Operation(documented, components, conventions, servers)
            if operation.name in self.all:
                # Ids must be unique, but are not everywhere; method and path are.
                operation.name = str(documented)
            self.all[operation.name] = operation
            own = documented.own_servers or document.get("servers") or []
            bases = [re.escape(base_path)] if base_path is not None else base_patterns(own)
            for base in dict.fromkeys(bases):
                path = without_query(operation.path)
                tables.setdefault(base, PathTable()).add(path, operation.method, operation)
            for callback in documented.callbacks:
                self._add_webhook(callback.callback, callback, components)
        for name, item in as_object(document.get("webhooks")).items():
            for webhook in operations.operations({**document, "paths": {name: item}}):
                self._add_webhook(name, webhook, components)
        # The longest base path comes first: a shorter one can be the beginning of it.
        self._tables = [(re.compile(base), tables[base]) for base in sorted(tables, key=len, reverse=True)]

    def match(self, path: str) -> Match[Operation] | None:
        """Return what a path on the wire leads to."""
        path = normalized(path)
        for base, table in self._tables:
            prefix = base.match(path)
            if prefix is not None and (found := table.match(path[prefix.end() :])) is not None:
                return found
        return None

    def _add_webhook(self, name: str, webhook: operations.Operation, components: Components) -> None:
        self.webhooks[name] = BodySpec(webhook.body, components, "response", f"webhook {name}")
        self.receiver_statuses[name] = tuple(status.upper() for status in webhook.responses)


def _headers(declaration: dict[str, Any], components: Components) -> Iterator[tuple[str, Json]]:
    for name, node in as_object(declaration.get("headers")).items():
        try:
            yield name, resolve(components.document, node)
        except DocumentError as error:
            components.problems.append(f"response header {name}: {error}; it is not checked")
