"""Writes values into a URL, a header or a form, in the styles of OpenAPI ("Style Values").

The styles are those of RFC 6570. A member that is null is undefined there, and is left out. What the styles do not
define, such as an object in an object, is written as JSON, except by `deepObject`, whose brackets can go on.

Where a style has no encoding for its delimiter, a value that contains it would be read as several. It is refused, as
OpenAPI 3.1.1 advises ("Appendix E").
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import quote, unquote_plus

from .results import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .operations import Parameter


class Style(Protocol):
    """How a value is written into a query or a form."""

    @property
    def style(self) -> str:
        """How arrays and objects are written."""
        ...

    @property
    def explode(self) -> bool:
        """Whether their members are written one by one."""
        ...

    @property
    def allow_reserved(self) -> bool:
        """Whether reserved characters stay as they are."""
        ...


_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}

# Reserved characters that a query may contain without another meaning (RFC 3986, 3.4). `&` would end the value, `+`
# would be read as a space.
_RESERVED = ":/?@!$'()*,;="
_ENCODED = re.compile(r"(%[0-9A-Fa-f]{2})")


def scalar_text(value: Any) -> str:
    """Write a value that is not an array or object, as JSON would but without quotes and exponents."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return json_text(value) if isinstance(value, dict | list) else str(value)


def json_text(value: Any) -> str:
    """Write a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def percent(text: str) -> str:
    """Percent-encode everything but letters, digits and `-._~`."""
    return quote(text, safe="")


def with_reserved(text: str) -> str:
    """Percent-encode what cannot be in the value of a query; what is encoded already stays."""
    return "".join(
        part if number % 2 else quote(part, safe=_RESERVED) for number, part in enumerate(_ENCODED.split(text))
    )


def form_pairs(name: str, value: Any, style: Style, *, encode: Callable[[str], str]) -> list[tuple[str, str]]:
    """Write a value as names and values of a query or form; none if it is an empty array or object.

    Args:
        name: The parameter's or field's name.
        value: The value.
        style: How it is written.
        encode: Encodes names and values.

    Raises:
        ToolError: It contains what the style cannot encode.
    """
    text = with_reserved if style.allow_reserved else encode
    if style.style == "deepObject":
        return [(_key(path, encode), text(scalar_text(item))) for path, item in _deep(name, value)]
    if isinstance(value, dict):
        members = _members(cast("dict[str, Any]", value))
        if style.explode and style.style == "form":
            return [(_key(member, encode), text(scalar_text(item))) for member, item in members.items()]
        parts = [part for member in members.items() for part in member]
    else:
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        parts = [item for item in items if item is not None]
        if style.explode or not isinstance(value, list):
            return [(_key(name, encode), text(scalar_text(part))) for part in parts]
    delimiter = _DELIMITERS.get(style.style, ",")
    written = [text(scalar_text(part)) for part in parts]
    if style.allow_reserved and delimiter == ",":
        written = [part.replace(",", "%2C") for part in written]
    joined = _join(written, delimiter if delimiter == "," else encode(delimiter), name)
    return [(_key(name, encode), joined)] if parts else []


def _join(written: list[str], delimiter: str, name: str) -> str:
    """Join the parts of a value.

    Raises:
        ToolError: One of them contains the delimiter.
    """
    if any(delimiter in part for part in written):
        raise _inexpressible(name, unquote_plus(delimiter) if len(delimiter) > 1 else delimiter)
    return delimiter.join(written)


def _inexpressible(name: str, character: str) -> ToolError:
    shown = {" ": "a space"}.get(character, repr(character))
    return ToolError(
        "invalid_input",
        f"Nothing was sent: a part of {name} contains {shown}, which separates parts there and cannot be encoded.",
    )


def _key(name: str, encode: Callable[[str], str]) -> str:
    # Brackets are a part of many names, and servers know them best as they are.
    return encode(name).replace("%5B", "[").replace("%5D", "]")


def _deep(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in _members(cast("dict[str, Any]", value)).items():
            if bracket := {"[", "]"}.intersection(key):
                raise _inexpressible(name, min(bracket))
            yield from _deep(f"{name}[{key}]", item)
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            # Without a number, the members of several objects would become those of one.
            yield from _deep(f"{name}[{number if isinstance(item, dict | list) else ''}]", item)
    elif value is not None:
        yield name, value


def _members(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}


def write_query(parameter: Parameter, value: Any) -> list[str]:
    """Write a parameter of the query as `name=value` pairs."""
    pairs = form_pairs(parameter.name, value, parameter, encode=percent)
    if not pairs and (parameter.allow_empty or parameter.required):
        pairs = [(_key(parameter.name, percent), "")]
    return ["=".join(pair) for pair in pairs]


def write_cookies(parameter: Parameter, value: Any) -> list[str]:
    """Write a parameter as `name=value` pairs of a Cookie header."""
    return ["=".join(pair) for pair in form_pairs(parameter.name, value, parameter, encode=percent)]


def write_header(parameter: Parameter, value: Any) -> str:
    """Write a parameter as the value of a header.

    Raises:
        ToolError: It has a character that a header cannot contain, or that would separate it.
    """
    return header_text(_simple(parameter, value, ",", text=str))


def header_text(text: str) -> str:
    """Return a text if it can be the value of a header.

    Raises:
        ToolError: It cannot.
    """
    if not text.isascii() or not text.isprintable():
        raise ToolError("invalid_input", f"Nothing was sent: {text[:100]!r} cannot be in a header.")
    return text


def write_path(parameter: Parameter, value: Any) -> str:
    """Write a parameter of the path, percent-encoded.

    Raises:
        ToolError: It is empty, and would lead to another endpoint; or it contains what the style cannot encode.
    """
    name, is_text = percent(parameter.name), not isinstance(value, dict | list)
    match parameter.style:
        case "matrix" if parameter.explode and isinstance(value, dict):
            text = _simple(parameter, value, ";", text=percent)
            written = f";{text}" if text else ""
        case "matrix" if parameter.explode and isinstance(value, list):
            items = cast("list[Any]", value)
            written = "".join(f";{name}={percent(scalar_text(item))}" for item in items if item is not None)
        case "matrix":
            text = _simple(parameter, value, ",", text=percent)
            written = f";{name}={text}" if text else f";{name}" if is_text else ""
        case "label":
            written = f".{_simple(parameter, value, '.' if parameter.explode else ',', text=percent)}"
        case _:
            written = _simple(parameter, value, ",", text=percent)
    if value is None or not written:
        shown = json_text(value)[:50]
        problem = f"Nothing was sent: {parameter.argument} must not be {shown}: it would lead to another endpoint."
        raise ToolError("invalid_input", problem)
    return written


def _simple(parameter: Parameter, value: Any, delimiter: str, *, text: Callable[[str], str]) -> str:
    """Write a value in OpenAPI's `simple` style, which those of the path vary."""
    if isinstance(value, dict):
        members = _members(cast("dict[str, Any]", value))
        pairs = [(text(key), text(scalar_text(item))) for key, item in members.items()]
        if not parameter.explode:
            return _join([part for pair in pairs for part in pair], delimiter, parameter.argument)
        if any("=" in key for key, _ in pairs):
            raise _inexpressible(parameter.argument, "=")
        return _join(["=".join(pair) for pair in pairs], delimiter, parameter.argument)
    if isinstance(value, list):
        items = [item for item in cast("list[Any]", value) if item is not None]
        return _join([text(scalar_text(item)) for item in items], delimiter, parameter.argument)
    return text(scalar_text(value))
