"""Operations of endpoints that this version of the library does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import msgspec
from contentgroove_api.types import Request, check_levels, encode_query

from .calls import Operation
from .header_fields import RESERVED_HEADERS, is_valid_field
from .inputs import check_filter, check_query_value, check_text, invalid_input, short_repr
from .levels import check_value_levels
from .responses import BodyMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"})
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9_.~:@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)+")
_IDEMPOTENT_METHODS = frozenset({"GET", "PUT", "DELETE", "HEAD"})
_RESERVED_PARAMETERS = frozenset({"api_key"})


def custom_operation(
    method: str, path: str, query: Mapping[str, Any] | None, body: object, headers: Mapping[str, str] | None
) -> Operation[Any]:
    """Check and build a call; its result is the response's JSON, None if there is no body."""
    upper_method = str(method).upper()
    if upper_method not in _METHODS:
        raise invalid_input(f"method must be one of {', '.join(sorted(_METHODS))}, not {short_repr(method)}.")
    if not isinstance(path, str) or not _PATH.fullmatch(path) or {".", ".."} & set(re.split(r"[/\\]", unquote(path))):
        raise invalid_input(
            f"{short_repr(path)} is not a path below the base URL: write it like '/medias', with a slash in front, "
            "without query and without empty, '.' or '..' parts."
        )
    sent = _check_headers(headers)
    content = None
    if body is not None:
        content = _encode_json(body)
        if "content-type" not in {name.lower() for name in sent}:
            sent["Content-Type"] = "application/json"
    built = Request(method=upper_method, path=path, query=_encode_query(query), headers=sent, content=content)
    return Operation(
        built,
        _decode_json,
        idempotent=upper_method in _IDEMPOTENT_METHODS,
        accept_404_on_retry=upper_method == "DELETE",
    )


def _check_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    sent = dict(_check_mapping(headers, "headers"))
    for name, value in sent.items():
        if not is_valid_field(name, value):
            # Without the value: it may be a credential.
            raise invalid_input(f"The header {name!r} has characters that HTTP forbids.")
    _reject_reserved(sent, RESERVED_HEADERS)
    return sent


def _encode_query(query: Mapping[str, Any] | None) -> str:
    parameters = _check_mapping(query, "query")
    try:
        check_value_levels(parameters)
    except ValueError as error:
        raise invalid_input(f"query cannot be sent: {error}.") from error
    pairs = [
        (name, check_filter(value) if name == "filter" else _check_parameter(name, value))
        for name, value in parameters.items()
    ]
    _reject_reserved(parameters, _RESERVED_PARAMETERS)
    return encode_query(pairs)


def _check_parameter(name: object, value: object) -> object:
    check_text(name, f"The name {short_repr(name)} of a query parameter")
    if isinstance(value, Mapping):
        nested = cast("Mapping[object, object]", value)
        return {key: _check_parameter(key, item) for key, item in nested.items()}
    return None if value is None else check_query_value(f"query parameter {name}", value)


def _check_mapping(value: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    mapping: object = {} if value is None else value
    if not isinstance(mapping, Mapping):
        raise invalid_input(f"{name} must be a mapping, not {type(value).__name__}.")
    return cast("Mapping[str, Any]", mapping)


def _reject_reserved(names: Iterable[str], reserved: frozenset[str]) -> None:
    forbidden = reserved & {name.lower() for name in names}
    if forbidden:
        raise invalid_input(f"The client sets {', '.join(sorted(forbidden))} itself.")


def _encode_json(body: object) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        raise invalid_input("body must be a value that JSON can represent, not bytes.")
    try:
        check_value_levels(body)
        plain = msgspec.to_builtins(body, str_keys=True)
        # msgspec would write the numbers that JSON lacks as null.
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid_input(f"The body cannot be encoded as JSON: {error}.") from error


def _decode_json(content: bytes) -> Any:
    if not content:
        return None
    try:
        check_levels(content)
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyMismatchError(str(error)) from error
