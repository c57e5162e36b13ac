"""The contract's operations, compiled for checks of their requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from contentgroove_mock.contract.schemas import Components
from contentgroove_mock.contract.values import BodySpec, Parameter, Query
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_EMPTY = frozenset({"204", "304"})


class ResponseSpec:
    """One documented response of an operation."""

    def __init__(self, status: str, declaration: dict[str, Any], components: Components) -> None:
        self._empty = status in _EMPTY
        self._body = BodySpec(declaration, components)
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
        yield from self._body.check(
            content, headers.get("content-type"), operation, "response", required=not self._empty
        )


class Operation:
    """One operation.

    Attributes:
        name: Its operationId.
        method: In capitals.
        path: Its path template, without the server's base path.
        statuses: The documented statuses.
        success: The schema of the JSON body of the first documented success; empty if there is none.
    """

    def __init__(
        self, method: str, path: str, declaration: dict[str, Any], schemes: Mapping[str, Any], components: Components
    ) -> None:
        self.name = str(declaration.get("operationId") or f"{method.upper()} {path}")
        self.method = method.upper()
        self.path = path
        self.segments = tuple(path.strip("/").split("/"))
        self.statuses: tuple[str, ...] = tuple(declaration["responses"])
        successes = [
            response for status, response in sorted(declaration["responses"].items()) if status.startswith("2")
        ]
        self.success: Mapping[str, Any] = _json_schema(successes[0]) if successes else {}
        parameters = declaration.get("parameters", [])
        self._security = [[schemes[name] for name in alternative] for alternative in declaration.get("security", [])]
        credentials = {
            scheme["name"]
            for alternative in self._security
            for scheme in alternative
            if scheme["type"] == "apiKey" and scheme["in"] == "query"
        }
        query = [
            Parameter.from_declaration(parameter, components) for parameter in parameters if parameter["in"] == "query"
        ]
        self.query = Query(query, frozenset(credentials), components)
        self.path_parameters = {
            f"{{{parameter['name']}}}": Parameter.from_declaration(parameter, components)
            for parameter in parameters
            if parameter["in"] == "path"
        }
        self.body = BodySpec(declaration.get("requestBody", {}), components)
        self._responses = {
            status: ResponseSpec(status, response, components) for status, response in declaration["responses"].items()
        }

    def check_request(
        self, path: Sequence[str], pairs: Sequence[tuple[str, str]], headers: Mapping[str, str], content: bytes
    ) -> Iterator[Violation]:
        """Check a request.

        Args:
            path: The path's segments below the base path, percent-encoded.
            pairs: The query's names and values.
            headers: By lower-case name.
            content: The body.
        """
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
        if self._security and not any(_is_authenticated(alternative, pairs, headers) for alternative in self._security):
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


class Callback(NamedTuple):
    """A request that the service sends to applications.

    Attributes:
        name: The event's name.
        schema: The schema of its JSON body.
    """

    name: str
    schema: Mapping[str, Any]
    body: BodySpec


class Operations:
    """All operations and callbacks of a contract."""

    def __init__(self, document: dict[str, Any]) -> None:
        shared = document.get("components", {})
        components = Components(shared.get("schemas", {}))
        schemes = shared.get("securitySchemes", {})
        everywhere = document.get("security", [])
        self.all: dict[str, Operation] = {}
        self.callbacks: dict[str, Callback] = {}
        self._static: dict[tuple[str, ...], dict[str, Operation]] = {}
        self._templates: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for path, item in document["paths"].items():
            methods: dict[str, Operation] = {}
            for method in METHODS:
                if method in item:
                    declaration = item[method]
                    parameters = [*item.get("parameters", []), *declaration.get("parameters", [])]
                    merged = {"security": everywhere, **declaration, "parameters": parameters}
                    operation = Operation(method, path, merged, schemes, components)
                    methods[operation.method] = self.all[operation.name] = operation
                    self._add_callbacks(declaration, components)
            self._add_path(tuple(path.strip("/").split("/")), methods)

    def match(self, segments: tuple[str, ...]) -> dict[str, Operation] | None:
        """Return the operations of a path by their methods, None if there is no such path."""
        if (found := self._static.get(segments)) is not None:
            return found
        for template, methods in self._templates.get(len(segments), ()):
            if all(
                segment if part.startswith("{") else part == segment
                for part, segment in zip(template, segments, strict=True)
            ):
                return methods
        return None

    def _add_path(self, segments: tuple[str, ...], methods: dict[str, Operation]) -> None:
        if any(part.startswith("{") for part in segments):
            self._templates.setdefault(len(segments), []).append((segments, methods))
        else:
            self._static[segments] = methods

    def _add_callbacks(self, declaration: dict[str, Any], components: Components) -> None:
        for name, callback in declaration.get("callbacks", {}).items():
            for item in callback.values():
                body = item["post"].get("requestBody", {})
                self.callbacks[name] = Callback(name, _json_schema(body), BodySpec(body, components))


def _json_schema(declaration: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = declaration.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _is_authenticated(
    alternative: Sequence[dict[str, Any]], pairs: Sequence[tuple[str, str]], headers: Mapping[str, str]
) -> bool:
    return all(_credential_present(scheme, pairs, headers) for scheme in alternative)


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
