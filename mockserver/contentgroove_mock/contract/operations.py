"""The contract's operations, compiled for checks of their requests and responses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from contentgroove._openapi import operations
from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.pointers import resolve

from contentgroove_mock.contract.bodies import BodySpec
from contentgroove_mock.contract.credentials import Credentials, cookies
from contentgroove_mock.contract.parameters import Parameter, Query, check_texts
from contentgroove_mock.contract.paths import PathTable, base_patterns, parameter_names, without_query
from contentgroove_mock.contract.schemas import Components
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contentgroove._openapi.documents import Json

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

    def check(self, method: str, headers: Mapping[str, str], content: bytes, operation: str) -> Iterator[Violation]:
        """Check a response with this status."""
        yield from check_texts(self._headers, headers, operation, "response")
        if method != "HEAD":
            media_type = headers.get("content-type")
            yield from self.body.check(content, media_type, operation, "response", required=not self._empty)


class Operation:
    """One operation.

    Attributes:
        name: Its operationId.
        method: In upper case.
        path: Its path template, without the server's base path.
        statuses: The documented statuses.
        success: The schema of the JSON body of the first documented success; empty if there is none.
    """

    def __init__(self, documented: operations.Operation, components: Components) -> None:
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
        self._credentials = Credentials(documented)
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

    def check_request(
        self, values: Sequence[str], query: str, headers: Mapping[str, str], content: bytes
    ) -> Iterator[Violation]:
        """Check a request.

        Args:
            values: The texts of the path's parameters, in their order and percent-encoded.
            query: The query, encoded.
            headers: By lower-case name.
            content: The body.
        """
        for parameter, text in zip(self._in_path, values, strict=False):
            if parameter is not None:
                location = f"request.path.{parameter.name}"
                if unquote(text) in {".", ".."}:
                    message = "a dot segment leads to another path (RFC 3986, section 6.2.2)"
                    yield Violation(self.name, location, "path-parameter", message, short_repr(text))
                yield from parameter.check([text], self.name, location, "path-parameter")
        if query or self.query.required:
            yield from self.query.check(query, self.name)
        if self._in_headers:
            yield from check_texts(self._in_headers, headers, self.name, "request")
        if self._in_cookies:
            yield from check_texts(self._in_cookies, cookies(headers), self.name, "request")
        if (unauthenticated := self._credentials.check(self.name, query, headers)) is not None:
            yield unauthenticated
        yield from self.body.check(content, headers.get("content-type"), self.name, "request")

    def documents(self, status: int) -> bool:
        """Return whether a status is documented by itself, or by its range."""
        return str(status) in self._responses or f"{status // 100}XX" in self._responses

    def check_response(self, status: int, headers: Mapping[str, str], content: bytes) -> Iterator[Violation]:
        """Check a response."""
        documented = (str(status), f"{status // 100}XX", "default")
        response = next((self._responses[key] for key in documented if key in self._responses), None)
        if response is None:
            message = f"documented are {', '.join(self.statuses)}"
            yield Violation(self.name, "response.status", "unknown-status", message, str(status))
            return
        yield from response.check(self.method, headers, content, self.name)


class Operations:
    """All operations of a contract, and the bodies of its webhooks by event.

    Attributes:
        all: The operations by their names.
        webhooks: The bodies of callbacks and webhooks by their names.
        receiver_statuses: The statuses that the document has for their receivers, in upper case; empty if it has none.
        problems: What of the document cannot be checked.
    """

    def __init__(self, document: Json, base_path: str | None) -> None:
        components = Components(document)
        self.problems = components.problems
        self.all: dict[str, Operation] = {}
        self.webhooks: dict[str, BodySpec] = {}
        self.receiver_statuses: dict[str, tuple[str, ...]] = {}
        tables: dict[str, PathTable[Operation]] = {}
        for documented in operations.operations(document):
            operation = Operation(documented, components)
            if operation.name in self.all:
                # Ids must be unique, but are not everywhere; method and path are.
                operation.name = str(documented)
            self.all[operation.name] = operation
            servers = documented.own_servers or document.get("servers") or []
            bases = [re.escape(base_path)] if base_path is not None else base_patterns(servers)
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
