"""Tools of operations: their requests, and the tools of ContentGroove's own 15 operations.

Arguments are written into path, query, headers and body as the document defines. The tools of the own operations use
the SDK with its key, retries and errors.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

import msgspec
from contentgroove_api.types import encode_query, path_segment, query_text
from msgspec import Struct

from .operations import Operation, request_path
from .registry import Tool
from .results import Success, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove import AsyncContentGroove
    from contentgroove._openapi.documents import Json

    from .operations import Parameter
    from .registry import ProgressCallback, ToolFunction

# Although it is a GET, each call creates a new upload.
_MINTING = frozenset({"directUploads.getApiV1DirectUploads"})

MAX_DESCRIPTION = 2000
"""Characters; a model reads the descriptions of all tools, and pays for them."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_DESTRUCTIVE = frozenset({"PUT", "PATCH", "DELETE"})
_IDEMPOTENT = frozenset({"PUT", "DELETE"})

_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


def contract_operations() -> list[Operation]:
    """Read the operations that were compiled from the API's contract."""
    content = files("contentgroove.tools").joinpath("operations.json").read_bytes()
    return msgspec.json.decode(content, type=list[Operation])


def api_tools(client: Callable[[], AsyncContentGroove]) -> list[Tool]:
    """Create the tools of the API's operations.

    Args:
        client: Returns the client, which is created when it is first needed.
    """
    return [operation_tool(operation, _caller(operation, client)) for operation in contract_operations()]


def operation_tool(operation: Operation, run: ToolFunction, *, namespace: str | None = None, about: str = "") -> Tool:
    """Create the tool of an operation.

    Args:
        operation: The operation.
        run: Calls it.
        namespace: The source that it belongs to; None if it is built in.
        about: The end of the description.
    """
    prefix = "" if namespace is None else f"{namespace}."
    reading = operation.method in _READING and operation.name not in _MINTING
    description = operation.description
    if len(description) > MAX_DESCRIPTION:
        description = f"{description[:MAX_DESCRIPTION]}…"
    lines = (operation.title, description, f"{operation.method} {operation.path}{about}")
    return Tool(
        name=f"{prefix}{operation.name}",
        title=operation.title,
        description="\n\n".join(line for line in lines if line),
        input_schema=operation.input_schema,
        run=run,
        operation_id=f"{prefix}{operation.operation_id}" if operation.operation_id else "",
        is_read_only=reading,
        is_destructive=operation.method in _DESTRUCTIVE,
        is_idempotent=reading or operation.method in _IDEMPOTENT,
        source=namespace,
    )


def _caller(operation: Operation, client: Callable[[], AsyncContentGroove]) -> ToolFunction:
    async def run(arguments: Json, _report: ProgressCallback) -> Success:
        call = build_request(operation, arguments)
        response = await client().request(
            call.method, call.path, query=structured_query(operation, arguments), body=arguments.get("body")
        )
        return Success(response.parse(), {"status": response.status_code})

    return run


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


def build_request(operation: Operation, arguments: Mapping[str, Any]) -> PreparedRequest:
    """Build the request of a call whose arguments are already checked.

    Raises:
        ToolError: A value cannot be written at its location.
    """
    path = request_path(operation.path)
    query: list[str] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for parameter in operation.parameters:
        if parameter.argument not in arguments or arguments[parameter.argument] is None:
            continue
        value = arguments[parameter.argument]
        if parameter.media_type:
            value = msgspec.json.encode(value).decode()
        match parameter.location:
            case "path":
                path = path.replace(f"{{{parameter.name}}}", _path_text(parameter, value))
            case "query":
                query.append(_query_text(parameter, value))
            case "header":
                headers[_header(parameter.name)] = _header(
                    _simple_style(value, explode=parameter.explode, text=query_text)
                )
            case "cookie":
                cookies.append(f"{quote(parameter.name)}={_simple_style(value, explode=False, text=_quote)}")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    content, content_type = _body(operation.body_type, arguments.get("body"), present="body" in arguments)
    if content is not None:
        headers["Content-Type"] = content_type
    return PreparedRequest(operation.method, path, "&".join(part for part in query if part), headers, content)


def structured_query(operation: Operation, arguments: Mapping[str, Any]) -> Json:
    """Return the query's values by their names on the wire, for a client that encodes them itself."""
    return {
        parameter.name: arguments[parameter.argument]
        for parameter in operation.parameters
        if parameter.location == "query" and arguments.get(parameter.argument) is not None
    }


def _path_text(parameter: Parameter, value: Any) -> str:
    try:
        if not isinstance(value, dict | list):
            path_segment(parameter.argument, value)
    except ValueError as error:
        raise ToolError("invalid_input", f"Nothing was sent: {error}.") from error
    joined = _simple_style(value, explode=parameter.explode, text=_quote)
    if parameter.style == "label":
        return "." + (joined.replace(",", ".") if parameter.explode else joined)
    if parameter.style == "matrix":
        if parameter.explode and isinstance(value, dict):
            return ";" + joined.replace(",", ";")
        if parameter.explode and isinstance(value, list):
            return "".join(f";{parameter.name}={_quote(item)}" for item in cast("list[Any]", value))
        return f";{parameter.name}={joined}"
    return joined


def _query_text(parameter: Parameter, value: Any) -> str:
    if isinstance(value, dict):
        members = cast("Json", value)
        if parameter.style == "deepObject":
            return encode_query([(parameter.name, members)])
        if parameter.explode:
            return encode_query(members.items())
        return f"{_quote(parameter.name)}={_simple_style(members, explode=False, text=_quote)}"
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if parameter.explode:
            return "&".join(f"{quote(parameter.name, safe='[]')}={_quote(item)}" for item in items)
        delimiter = _DELIMITERS.get(parameter.style, ",")
        return f"{quote(parameter.name, safe='[]')}={delimiter.join(_quote(item) for item in items)}"
    return encode_query([(parameter.name, value)])


def _simple_style(value: Any, *, explode: bool, text: Any) -> str:
    """Write a value in OpenAPI's `simple` style, which the others vary."""
    if isinstance(value, dict):
        members = cast("Json", value)
        return ",".join(f"{text(key)}{'=' if explode else ','}{text(item)}" for key, item in members.items())
    if isinstance(value, list):
        return ",".join(text(item) for item in cast("list[Any]", value))
    return str(text(value))


def _quote(value: Any) -> str:
    return quote(_scalar(value), safe="")


def _scalar(value: Any) -> str:
    # OpenAPI has no style for nested values; servers that accept them read JSON.
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else query_text(value)


def _header(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ToolError("invalid_input", f"Nothing was sent: {text[:100]!r} cannot be in a header.")
    return text


def _body(body_type: str, body: Any, *, present: bool) -> tuple[bytes | None, str]:
    if not body_type or not present:
        return None, ""
    if "json" in body_type:
        return msgspec.json.encode(body), body_type
    if "x-www-form-urlencoded" in body_type and isinstance(body, dict):
        return urlencode(_fields(body)).encode(), body_type
    if "multipart/form-data" in body_type and isinstance(body, dict):
        return _multipart(_fields(body))
    if isinstance(body, str):
        return body.encode(), body_type
    raise ToolError("invalid_input", f"Nothing was sent: a body of {body_type} must be a string.")


def _fields(body: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in cast("Json", body).items():
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        found.extend((name, _scalar(item)) for item in values if item is not None)
    return found


def _multipart(fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    # A boundary must not occur in the values; a counter makes sure of it without randomness.
    text = "\r\n".join(value for _, value in fields)
    number = 0
    while (boundary := f"contentgroove-{number}") in text:
        number += 1
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_field_name(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return f"{''.join(parts)}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _field_name(name: str) -> str:
    # As HTML's form submission does ("multipart/form-data encoding algorithm").
    return re.sub(r'[\r\n"]', lambda found: quote(found[0]), name)
