"""Writes the bodies of requests: JSON, text, bytes and forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import structs

from .binary_values import guess_media_type, read_binary
from .body_plans import Field
from .media_types import charset_of, essence, is_json
from .parameter_styles import form_pairs, json_text, scalar_text
from .results import ToolError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .binary_values import FileReader
    from .body_plans import Body


class _Part(NamedTuple):
    """One part of a multipart body."""

    headers: list[str]
    content: bytes


def write_body(body: Body, value: Any, part_headers: Json, read_file: FileReader | None) -> tuple[bytes, str]:
    """Write a body.

    Args:
        body: How it is written.
        value: The argument, which is already checked.
        part_headers: The headers of each part that the caller chose.
        read_file: Returns the bytes of a file; None if files cannot be sent.

    Returns:
        The bytes, and their Content-Type.

    Raises:
        ToolError: It cannot be written as the document demands.
    """
    match body.kind:
        case "json":
            return msgspec.json.encode(value), body.media_type
        case "form":
            return _urlencoded(body, value), body.media_type
        case "multipart":
            return _multipart(body, value, part_headers, read_file)
        case "text" if not isinstance(value, dict | list):
            return _encode_text(scalar_text(value), body.media_type), body.media_type
        case kind:
            binary = read_binary(value, read_file, "body", is_plain_text=kind == "text")
            return binary.content, guess_media_type(binary, [body.media_type])


def _encode_text(text: str, media_type: str) -> bytes:
    try:
        return text.encode(charset_of(media_type))
    except (LookupError, UnicodeError) as error:
        problem = f"Nothing was sent: the body cannot be written in {media_type}."
        raise ToolError("invalid_input", problem) from error


def _object(body: Body, value: Any) -> Json:
    if isinstance(value, dict):
        return cast("Json", value)
    raise ToolError("invalid_input", f"Nothing was sent: a body of {body.media_type} must be an object.")


def _planned(body: Body, name: str) -> Field:
    others = Field(name) if body.others is None else structs.replace(body.others, name=name)
    return next((field for field in body.fields if field.name == name), others)


def _items(value: Any) -> list[Any]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [item for item in items if item is not None]


def _urlencoded(body: Body, value: Any) -> bytes:
    pairs: list[str] = []
    for name, member in _object(body, value).items():
        field = _planned(body, name)
        if field.style:
            pairs += ["=".join(pair) for pair in form_pairs(name, member, field, encode=quote_plus)]
        else:
            pairs += [f"{quote_plus(name)}={quote_plus(_text(field, item))}" for item in _items(member)]
    return "&".join(pairs).encode()


def _text(field: Field, value: Any) -> str:
    # A string is the text itself, also if it is JSON's.
    if isinstance(value, str):
        return value
    media_type = field.content_types[0] if field.content_types else ""
    return json_text(value) if is_json(media_type) or isinstance(value, dict | list) else scalar_text(value)


def _multipart(body: Body, value: Any, part_headers: Json, read_file: FileReader | None) -> tuple[bytes, str]:
    parts: list[_Part] = []
    for name, member in _object(body, value).items():
        field = _planned(body, name)
        chosen = {key: scalar_text(item) for key, item in part_headers.get(name, {}).items()}
        headers = [f"{key}: {_header_text(item)}" for key, item in {**field.headers, **chosen}.items()]
        if field.style:
            # A style makes texts, as in a query; each is a part with the name that it has there.
            for key, text in form_pairs(name, member, field, encode=str):
                parts.append(_Part([f'Content-Disposition: form-data; name="{_quoted(key)}"', *headers], text.encode()))
        else:
            parts += [_part(field, item, headers, read_file) for item in _items(member)]
    boundary = _boundary(parts)
    chunks: list[bytes] = []
    for part in parts:
        head = "".join(f"{line}\r\n" for line in part.headers)
        chunks += [f"--{boundary}\r\n{head}\r\n".encode(), part.content, b"\r\n"]
    return b"".join([*chunks, f"--{boundary}--\r\n".encode()]), f"{essence(body.media_type)}; boundary={boundary}"


def _part(field: Field, value: Any, headers: list[str], read_file: FileReader | None) -> _Part:
    disposition = f'Content-Disposition: form-data; name="{_quoted(field.name)}"'
    if field.binary:
        binary = read_binary(value, read_file, f"body.{field.name}")
        media_type = guess_media_type(binary, [*field.content_types])
        # Servers tell files from other fields by the name.
        disposition += f'; filename="{_quoted(binary.filename or field.name)}"'
        return _Part([disposition, f"Content-Type: {media_type}", *headers], binary.content)
    media_type = field.content_types[0] if field.content_types else ""
    if not media_type and isinstance(value, dict | list):
        media_type = "application/json"
    lines = [disposition, *([f"Content-Type: {media_type}"] if media_type else [])]
    if field.transfer_encoding and not any(line.lower().startswith("content-transfer-encoding:") for line in headers):
        lines.append(f"Content-Transfer-Encoding: {field.transfer_encoding}")
    return _Part([*lines, *headers], _encode_text(_text(field, value), media_type))


def _boundary(parts: list[_Part]) -> str:
    # It must not occur in the values; a counter makes sure of it without randomness.
    number = 0
    while any(f"contentgroove-{number}".encode() in part.content for part in parts):
        number += 1
    return f"contentgroove-{number}"


def _header_text(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ToolError("invalid_input", f"Nothing was sent: {text[:100]!r} cannot be in a header of a part.")
    return text


def _quoted(name: str) -> str:
    # As HTML's form submission does ("multipart/form-data encoding algorithm").
    return re.sub(r'[\r\n"]', lambda found: quote(found[0]), name)
