"""Builds the requests of operations from checked arguments, as their document defines; nothing is sent here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from msgspec import Struct

from .bodies import write_body
from .media_types import is_json
from .operations import PART_HEADERS, split_path
from .parameter_styles import header_text, json_text, percent, write_cookies, write_header, write_path, write_query
from .results import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove._openapi.documents import Json

    from .binary_values import FileReader
    from .credentials import Credentials
    from .operations import Operation, Parameter

# What a path may contain as it is, and what is encoded already.
_PATH = "/:@!$&'()*+,;=~%"


class PreparedRequest(Struct, frozen=True):
    """The request of one call.

    Attributes:
        method: The HTTP method, upper case.
        path: The path below the base URL, percent-encoded.
        query: The query, percent-encoded.
        headers: The headers, including the cookies and the body's type.
        content: The body; None without one.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content: bytes | None

    def __repr__(self) -> str:
        # All other parts can contain credentials.
        return f"PreparedRequest({self.method})"

    def url(self, base_url: str) -> str:
        """Return the URL below a base URL, whose slash at the end does not count."""
        return f"{base_url.rstrip('/')}{self.path}{f'?{self.query}' if self.query else ''}"


def build_request(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    credentials: Credentials | None = None,
    read_file: FileReader | None = None,
) -> PreparedRequest:
    """Build the request of a call whose arguments are already checked.

    Args:
        operation: The operation.
        arguments: The tool's arguments.
        credentials: What the source adds to each of its requests; None if it adds nothing.
        read_file: Returns the bytes of a file for the body; None if files cannot be sent.

    Raises:
        ToolError: A value cannot be written at its location.
    """
    parts = _Parts(operation)
    if credentials is not None:
        parts.headers = with_headers(parts.headers, credentials.headers())
    for parameter in operation.parameters:
        if parameter.argument in arguments:
            parts.add(parameter, arguments[parameter.argument])
    if credentials is not None:
        parts.query += credentials.query({pair.partition("=")[0] for pair in parts.query})
        parts.cookies += credentials.cookies({pair.partition("=")[0] for pair in parts.cookies})
    if parts.cookies:
        former = [value for name, value in parts.headers.items() if name.lower() == "cookie"]
        parts.headers = with_headers(parts.headers, {"Cookie": "; ".join([*former, *parts.cookies])})
    content: bytes | None = None
    if operation.body is not None and "body" in arguments:
        part_headers: Json = arguments.get(PART_HEADERS) or {}
        content, content_type = write_body(operation.body, arguments["body"], part_headers, read_file)
        parts.headers = with_headers(parts.headers, {"Content-Type": header_text(content_type)})
    path = _checked_path(parts.path)
    return PreparedRequest(operation.method, path, "&".join(parts.query), parts.headers, content)


class _Parts:
    """The parts of a request to which parameters are added."""

    def __init__(self, operation: Operation) -> None:
        self.path, self.query = _constant_parts(operation)
        self.headers: dict[str, str] = {"Accept": operation.accept} if operation.accept else {}
        self.cookies: list[str] = []

    def add(self, parameter: Parameter, value: Any) -> None:
        """Add a parameter.

        Raises:
            ToolError: Its value cannot be written at its location.
        """
        if parameter.media_type:
            value = _media_text(parameter, value)
        if value is None and parameter.location != "path":
            # The styles have no form for it.
            return
        match parameter.location:
            case "path":
                self.path = self.path.replace(f"{{{parameter.name}}}", write_path(parameter, value))
            case "query":
                self.query += write_query(parameter, value)
            case "header" if parameter.name.lower() == "cookie":
                self.cookies.append(write_header(parameter, value))
            case "header":
                further = {header_text(parameter.name): write_header(parameter, value)}
                self.headers = with_headers(self.headers, further)
            case "cookie":
                self.cookies += write_cookies(parameter, value)


def with_headers(headers: dict[str, str], further: Mapping[str, str]) -> dict[str, str]:
    """Return headers with further ones, which replace those of the same name in any case of letters."""
    names = {name.lower() for name in further}
    return {name: value for name, value in headers.items() if name.lower() not in names} | dict(further)


def structured_query(operation: Operation, arguments: Mapping[str, Any]) -> Json:
    """Return the query's values by their names on the wire, for a client that encodes them itself."""
    return {
        parameter.name: arguments[parameter.argument]
        for parameter in operation.parameters
        if parameter.location == "query" and arguments.get(parameter.argument) is not None
    }


def _constant_parts(operation: Operation) -> tuple[str, list[str]]:
    """Return an operation's path, and the constant part of its query that some documents write into it."""
    path, query = split_path(operation.path)
    declared = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
    constant = [
        quote(pair, safe=_PATH)
        for pair in query.split("&")
        if pair and "{" not in pair and unquote(pair.partition("=")[0]) not in declared
    ]
    parts = re.split(r"(\{[^{}]*\})", path)
    return "".join(part if part.startswith("{") else quote(part, safe=_PATH) for part in parts), constant


def _media_text(parameter: Parameter, value: Any) -> str:
    if not is_json(parameter.media_type) and isinstance(value, str):
        return value
    # JSON can say in ASCII what a header cannot contain.
    return json.dumps(value, separators=(",", ":")) if parameter.location == "header" else json_text(value)


def _checked_path(path: str) -> str:
    """Return a path unless a segment of it leads to another one.

    Raises:
        ToolError: A segment is `.` or `..`.
    """
    for segment in path.split("/"):
        if unquote(segment) in {".", ".."}:
            problem = f"Nothing was sent: {percent(segment)!r} in the path would lead to another endpoint."
            raise ToolError("invalid_input", problem)
    return path
