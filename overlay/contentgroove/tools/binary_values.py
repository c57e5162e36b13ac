"""Binary values of requests: bytes of a file, of base64 or of a text, never base64 itself."""

from __future__ import annotations

import binascii
import mimetypes
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import filetype
from msgspec import Struct

from .media_types import MEDIA_TYPE, essence, is_text
from .results import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._openapi.documents import Json

FileReader: TypeAlias = "Callable[[str], bytes]"
"""Returns the bytes of a file that may be sent."""

OCTETS = "application/octet-stream"

BINARY_SCHEMA: Json = {
    "description": (
        "Binary content: its base64, which is decoded before it is sent, or an object with a file below the upload "
        "root, base64 or a text."
    ),
    "anyOf": [
        {"type": "string", "contentEncoding": "base64"},
        {
            "type": "object",
            "properties": {
                "file": {"type": "string", "minLength": 1, "description": "A file below the upload root."},
                "base64": {"type": "string", "description": "Decoded before it is sent."},
                "text": {"type": "string", "description": "Sent in UTF-8."},
                "filename": {"type": "string", "description": "The name that the service is told."},
                "contentType": {"type": "string", "description": "The media type, if it cannot be guessed."},
            },
            "additionalProperties": False,
            "oneOf": [{"required": ["file"]}, {"required": ["base64"]}, {"required": ["text"]}],
        },
    ],
}
"""The schema of an argument that is sent as bytes."""

TEXT_OR_BINARY_SCHEMA: Json = {
    "description": "A text, or an object with a file below the upload root, base64 or a text.",
    "anyOf": [{"type": "string"}, *BINARY_SCHEMA["anyOf"][1:]],
}
"""The schema of an argument that is text or a file with text."""

_TYPED = frozenset(
    {"type", "enum", "const", "properties", "items", "allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "format",
     "contentEncoding", "contentMediaType", "additionalProperties", "pattern", "minLength", "maxLength", "minimum",
     "maximum"}
)  # fmt: skip


class Binary(Struct, frozen=True):
    """A binary value.

    Attributes:
        content: Its bytes.
        filename: The name of its file; empty if there is none.
        media_type: Its media type; empty if the caller named none.
    """

    content: bytes
    filename: str = ""
    media_type: str = ""

    def __repr__(self) -> str:
        return f"Binary({len(self.content)} bytes)"


def is_binary(schema: Json, *, untyped: bool = False) -> bool:
    """Return whether a schema describes bytes.

    In OpenAPI 3.0 that is `format: binary`. In 3.1 it is a media type that is not text, without `contentEncoding`:
    with it, the value is a text that encodes bytes. `type: file` is what remains of Swagger 2.0.

    Args:
        schema: The schema; its `$ref` is not followed.
        untyped: Whether one that says nothing about its values describes bytes, as for a field in OpenAPI 3.1.
    """
    types = types_of(schema)
    if "file" in types or (untyped and not _TYPED & schema.keys()):
        return True
    if types and "string" not in types:
        return False
    media_type = schema.get("contentMediaType")
    if isinstance(media_type, str) and "contentEncoding" not in schema:
        return not is_text(media_type)
    return schema.get("format") == "binary"


def types_of(schema: Json) -> list[str]:
    """Return the types that a schema names, without null; empty if it names none."""
    named = schema.get("type")
    types = cast("list[Any]", named) if isinstance(named, list) else [named]
    return [kind for kind in types if isinstance(kind, str) and kind != "null"]


def read_binary(value: Any, read_file: FileReader | None, field: str, *, is_plain_text: bool = False) -> Binary:
    """Return the bytes that an argument stands for.

    Args:
        value: The argument.
        read_file: Returns a file's bytes; None if files cannot be sent.
        field: The argument's name, for messages.
        is_plain_text: Whether a string is a text, and not base64.

    Raises:
        ToolError: It is not base64, or the file cannot be sent.
    """
    if isinstance(value, str):
        value = {"text" if is_plain_text else "base64": value}
    if not isinstance(value, dict):
        raise ToolError("invalid_input", f"Nothing was sent: {field} must be base64, or an object with a file.")
    members = cast("Json", value)
    filename, media_type = str(members.get("filename", "")), str(members.get("contentType", ""))
    if media_type and ("*" in media_type or not MEDIA_TYPE.fullmatch(media_type)):
        raise ToolError("invalid_input", f"Nothing was sent: {field}.contentType is not a media type.")
    if "file" in members:
        if read_file is None:
            raise ToolError("not_allowed", "Nothing was sent: files cannot be sent without an upload root.")
        name = str(members["file"])
        return Binary(read_file(name), filename or PurePath(name).name, media_type)
    if "text" in members:
        return Binary(str(members["text"]).encode(), filename, media_type)
    return Binary(_decode(str(members.get("base64", "")), field), filename, media_type)


def guess_media_type(binary: Binary, allowed: list[str]) -> str:
    """Return the media type of a binary value: the caller's, or one of those that the document allows.

    Args:
        binary: The value.
        allowed: The document's media types and ranges, such as `image/*`; empty if it allows any.
    """
    if binary.media_type or not allowed:
        return binary.media_type or OCTETS
    concrete = [media_type for media_type in allowed if "*" not in media_type]
    if len(allowed) == 1 and concrete:
        return concrete[0]
    # The library has no types.
    found: str | None = cast("Any", filetype).guess_mime(binary.content[:8192]) if binary.content else None
    # Python's own table, not the system's, which other programs change.
    named = mimetypes.MimeTypes().guess_type(binary.filename)[0]
    guesses = [guess for guess in (found, named) if guess]
    for guess in guesses:
        if any(_matches(guess, media_type) for media_type in allowed):
            return guess
    return concrete[0] if concrete else OCTETS


def _matches(media_type: str, allowed: str) -> bool:
    pattern = re.escape(essence(allowed)).replace(r"\*", ".*")
    return re.fullmatch(pattern, media_type) is not None


def _decode(text: str, field: str) -> bytes:
    # A data URL is how browsers write base64.
    compact = "".join(text.rpartition(";base64,")[2].split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return binascii.a2b_base64(compact + "=" * (-len(compact) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise ToolError(
            "invalid_input",
            f'Nothing was sent: {field} is not base64. Pass {{"text": …}} for a text, or {{"file": …}} for a file.',
        ) from error
