"""The contract's operations, compiled for checks of their requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from contentgroove._openapi import operations

from contentgroove_mock.contract.schemas import Components
from contentgroove_mock.contract.values import BodySpec, Parameter, Query
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contentgroove._openapi.documents import Json

_EMPTY = frozenset({"204", "304"})


class ResponseSpec:
    """One documented response of an operation."""

    def __init__(self, status: str, declaration: dict[str, Any], components: Components) -> None:
        self._empty = status in _EMPTY
        self.body = BodySpec(declaration, components)
        self._headers = {
            name.lower(): Parameter.from_declaration(header, components)
            for name, header in declaration.get("headers", {}).items()
        }

    def check(self, headers: Mapping[str, str], content: bytes, operation: str) -> Iterator[Violation]:
        """Check a response with this status."""
        for name, parameter in self._headers.items():
            location = f"response.headers.{name}"
            text = headers.get(name)
            if text is not None:
                yield from parameter.check(text, operation, location, "header-value")
            elif parameter.required:
                yield Violation(operation, location, "missing-header", f"{name} is required", "nothing")
        yield from self.body.check(
            content, headers.get("content-type"), operation, "response", required=not self._empty
        )


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
        self.segments = tuple(self.path.strip("/").split("/"))
        self._responses = {
            status: ResponseSpec(status, response, components) for status, response in documented.responses.items()
        }
        self.statuses = tuple(self._responses)
        success = min((status for status in self.statuses if status.startswith("2")), default=None)
        self.success: Mapping[str, Any] = {} if success is None else self._responses[success].body.json_schema
        schemes = documented.document.get("components", {}).get("securitySchemes", {})
        self._security = [[schemes[name] for name in alternative] for alternative in documented.security]
        credentials = {
            scheme["name"]
            for alternative in self._security
            for scheme in alternative
            if scheme["type"] == "apiKey" and scheme["in"] == "query"
        }
        parameters = [Parameter.from_declaration(declaration, components) for declaration in documented.parameters]
        query = [item for item in parameters if item.location == "query"]
        self.query = Query(query, frozenset(credentials), components)
        self.path_parameters = {f"{{{item.name}}}": item for item in parameters if item.location == "path"}
        self.body = BodySpec(documented.body, components)

    def check_request(
        self, path: Sequence[str], pairs: Sequence[tuple[str, str]], headers: Mapping[str, str], content: bytes
    ) -> Iterator[Violation]:
        """Check a request; `path` has the segments below the base path, percent-encoded."""
        for template, segment in zip(self.segments, path, strict=True):
            if (parameter := self.path_parameters.get(template)) is not None:
                location = f"request.path.{parameter.name}"
                value = unquote(segment)
                if value in {".", ".."}:
                    message = "a dot segment leads to another path (RFC 3986, section 6.2.2)"
                    yield Violation(self.name, location, "path-parameter", message, short_repr(segment))
                yield from parameter.check(value, self.name, location, "path-parameter")
        if pairs or self.query.required:
            yield from self.query.check(pairs, self.name)
        if self._security and not any(
            all(_credential_present(scheme, pairs, headers) for scheme in alternative) for alternative in self._security
        ):
            yield self._unauthenticated(headers)
        yield from self.body.check(content, headers.get("content-type"), self.name, "request")

    def check_response(self, status: int, headers: Mapping[str, str], content: bytes) -> Iterator[Violation]:
        """Check a response."""
        response = self._responses.get(str(status)) or self._responses.get("default")
        if response is None:
            message = f"documented are {', '.join(self.statuses)}"
            yield Violation(self.name, "response.status", "unknown-status", message, str(status))
            return
        yield from response.check(headers, content, self.name)

    def _unauthenticated(self, headers: Mapping[str, str]) -> Violation:
        hints = " or ".join(
            " and ".join(_scheme_hint(scheme) for scheme in alternative) for alternative in self._security
        )
        # Not even its first word is shown: if the scheme is missing, it is the key.
        actual = "an Authorization header of another form" if headers.get("authorization") else "nothing"
        return Violation(self.name, "request.auth", "auth", hints, actual)


class Operations:
    """All operations of a contract, and the bodies of its webhooks by event."""

    def __init__(self, document: Json, base_path: str) -> None:
        components = Components(document)
        self._prefix = f"{base_path}/"
        self.all: dict[str, Operation] = {}
        self.webhooks: dict[str, BodySpec] = {}
        self._paths: dict[tuple[str, ...], dict[str, Operation]] = {}
        for documented in operations.operations(document):
            operation = Operation(documented, components)
            self.all[operation.name] = operation
            self._paths.setdefault(operation.segments, {})[operation.method] = operation
            for callback in documented.callbacks:
                self.webhooks[callback.callback] = BodySpec(callback.body, components)
        self._templates = [path for path in self._paths if any(part.startswith("{") for part in path)]

    def match(self, path: str) -> tuple[tuple[str, ...], dict[str, Operation]]:
        """Return the segments of a path below the base path, and its operations by method; none if it is unknown."""
        segments = tuple(path.removeprefix(self._prefix).split("/"))
        if not path.startswith(self._prefix):
            return segments, {}
        if (found := self._paths.get(segments)) is not None:
            return segments, found
        for template in self._templates:
            if len(template) == len(segments) and all(
                segment if part.startswith("{") else part == segment
                for part, segment in zip(template, segments, strict=True)
            ):
                return segments, self._paths[template]
        return segments, {}


def _credential_present(scheme: dict[str, Any], pairs: Sequence[tuple[str, str]], headers: Mapping[str, str]) -> bool:
    if scheme["type"] == "http":
        kind, _, credentials = headers.get("authorization", "").partition(" ")
        return kind.lower() == scheme["scheme"] and bool(credentials.strip())
    if scheme["in"] == "header":
        return bool(headers.get(scheme["name"].lower(), "").strip())
    return any(name == scheme["name"] and value for name, value in pairs)


def _scheme_hint(scheme: dict[str, Any]) -> str:
    if scheme["type"] == "http":
        return f"Authorization: {scheme['scheme'].capitalize()} KEY"
    return f"{scheme['name']}: KEY" if scheme["in"] == "header" else f"{scheme['name']}=KEY in the query"
