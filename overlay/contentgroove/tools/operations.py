"""Operations as tools need them: their names, and how arguments become a request.

`compilation` makes them from a document; `requests` builds requests by them.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from .body_plans import Body  # noqa: TC001 - msgspec reads the annotations at run time

Location: TypeAlias = Literal["path", "query", "header", "cookie"]

PART_HEADERS = "bodyHeaders"
"""The argument with the headers of a body's parts."""

_EXPRESSION = re.compile(r"\{[?&][^{}]*\}")


class Parameter(Struct, frozen=True, omit_defaults=True):
    """One parameter.

    Attributes:
        argument: Its name among the tool's arguments.
        name: Its name on the wire.
        location: The part of the request that contains it.
        style: How arrays and objects are written (OpenAPI, "Style Values").
        explode: Whether their members are written one by one.
        media_type: The media type that it is written in instead of a style; empty if there is none.
        required: Whether it must be sent.
        allow_reserved: Whether reserved characters stay as they are.
        allow_empty: Whether it is sent even if it has no value.
    """

    argument: str
    name: str
    location: Location
    style: str
    explode: bool
    media_type: str = ""
    required: bool = False
    allow_reserved: bool = False
    allow_empty: bool = False


class Operation(Struct, frozen=True, omit_defaults=True):
    """One operation.

    Attributes:
        name: The canonical name, `group.leaf`.
        operation_id: The document's own name for it; empty without one.
        title: A short line about its effect.
        description: More about it.
        tags: Its tags.
        method: The HTTP method, upper case.
        path: The path below the base URL, with `{parameters}`.
        parameters: Its parameters.
        body: Its body; None without one.
        input_schema: The JSON Schema of the tool's arguments.
        accept: The Accept header, by the media types of the documented responses.
        security: The alternative sets of security schemes that it needs; one of them may be empty. None if the document
            says nothing about it.
        servers: The URLs of its own servers, instead of the document's; empty if it has none.
    """

    name: str
    operation_id: str
    title: str
    description: str
    tags: tuple[str, ...]
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    input_schema: dict[str, Any]
    accept: str = ""
    security: tuple[tuple[str, ...], ...] | None = None
    servers: tuple[str, ...] = ()


def split_path(path: str) -> tuple[str, str]:
    """Split the path of a document into the path and the query of a request.

    Some documents distinguish operations by a query or a fragment; a fragment is never sent.
    """
    before, _, query = _EXPRESSION.sub("", path).partition("#")[0].partition("?")
    return before, query
