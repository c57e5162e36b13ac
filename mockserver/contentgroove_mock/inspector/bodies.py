"""Shows messages: JSON as lines, without credentials, each line with the violations of the member that it shows.

Pure: no I/O. What is shown is text; escaping it is up to the template.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias, cast

from contentgroove._core.redaction import redact_text
from contentgroove._openapi.pointers import escape
from contentgroove_api.types import check_levels
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contentgroove_mock.contract.violations import Violation

MAX_LINES = 2000
MAX_TEXT = 4000
"""Characters of one line."""

AUTH = "request.auth"
"""The location of violations of the credentials as a whole."""
CREDENTIALS = frozenset({"authorization", "x-api-key", "api_key"})
"""The names of headers and parameters that may be credentials."""

Notes: TypeAlias = "dict[str, list[str]]"
"""Texts about a member, by its JSON pointer."""


class Body(Struct):
    """A body.

    Attributes:
        content: Its beginning.
        size: Its whole length in bytes.
        media_type: Its Content-Type; empty if there is none.
    """

    content: bytes = b""
    size: int = 0
    media_type: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether `content` is not all of it."""
        return len(self.content) < self.size


class Line(Struct, frozen=True):
    """A line of a body.

    Attributes:
        indent: How deep it is, in steps of the document.
        text: The line itself.
        notes: What is wrong with the member that it shows.
    """

    indent: int
    text: str
    notes: tuple[str, ...] = ()


class ShownBody(Struct, frozen=True):
    """A body as the page shows it.

    Attributes:
        lines: Its lines; empty if there is no text to show.
        remark: What is not shown, and why; empty if all is shown.
        notes: What is wrong with it as a whole.
        size: Its length in bytes.
        media_type: Its Content-Type.
    """

    lines: tuple[Line, ...]
    remark: str
    notes: tuple[str, ...]
    size: int
    media_type: str


class Row(Struct, frozen=True):
    """A name and a value: of a header, or a parameter of the query."""

    name: str
    value: str
    notes: tuple[str, ...] = ()


class _Number(str):
    """The digits of a number as they were written, because a float would change some."""

    __slots__ = ()


class _Members(tuple[tuple[str, object], ...]):
    """The members of an object; unlike a dict, with a name that is there twice."""

    __slots__ = ()


def note_of(violation: Violation) -> str:
    """Return a violation as one sentence that names its rule."""
    return f"{violation.rule}: {violation.message} (seen: {violation.actual})"


def notes_at(violations: Iterable[Violation], location: str) -> tuple[str, ...]:
    """Return what is wrong at exactly one location."""
    return tuple(note_of(violation) for violation in violations if violation.location == location)


def shown_rows(pairs: Iterable[tuple[str, str]], violations: Sequence[Violation], location: str) -> tuple[Row, ...]:
    """Return headers or parameters; `location` is that of all of them, such as `request.headers`."""
    return tuple(
        Row(
            name,
            value[:MAX_TEXT],
            notes_at(violations, f"{location}.{name}")
            + (notes_at(violations, AUTH) if name.lower() in CREDENTIALS else ()),
        )
        for name, value in pairs
    )


def shown_body(body: Body, violations: Sequence[Violation] = (), location: str = "") -> ShownBody:
    """Return a body; `location` is `request.body` or `response.body`."""
    notes: Notes = {}
    for violation in violations:
        found, hash_sign, pointer = violation.location.partition("#")
        if found == location and hash_sign:
            notes.setdefault(pointer, []).append(note_of(violation))
    whole = notes_at(violations, location)
    if not body.size:
        return ShownBody((), "No body.", whole, 0, body.media_type)
    if not body.content:
        return ShownBody((), f"{body.size:,} bytes, which are not kept.", whole, body.size, body.media_type)
    remark = f"Only the first {len(body.content):,} of {body.size:,} bytes are kept." if body.is_cut else ""
    try:
        check_levels(body.content)
        document: object = json.loads(
            body.content, object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number, parse_constant=_Number
        )
    except (ValueError, RecursionError):
        # Not JSON, or cut.
        text = redact_text(body.content.decode("utf-8", "backslashreplace"))
        every = [Line(0, line[:MAX_TEXT]) for line in text.split("\n")]
        whole += tuple(note for found in notes.values() for note in found)
    else:
        every = list(_lines(document, _on_existing(notes, document)))
    if len(every) > MAX_LINES:
        remark = f"{remark} Only the first {MAX_LINES:,} of {len(every):,} lines are shown.".strip()
    return ShownBody(tuple(every[:MAX_LINES]), remark, whole, body.size, body.media_type)


def _on_existing(notes: Notes, document: object) -> Notes:
    """Move what is said about members that are not there to what should contain them."""
    pointers = set(_pointers(document, ""))
    found: Notes = {}
    for pointer, texts in notes.items():
        existing = pointer
        while existing and existing not in pointers:
            existing = existing.rpartition("/")[0]
        found.setdefault(existing, []).extend(
            texts if existing == pointer else [f"{pointer.removeprefix(existing)}: {text}" for text in texts]
        )
    return found


def _children(value: object) -> list[tuple[str, str, object]]:
    """Return the pointer's step, the label and the value of each member or item."""
    if isinstance(value, _Members):
        return [(escape(name), f"{_scalar(name)}: ", member) for name, member in value]
    if isinstance(value, list):
        return [(str(index), "", item) for index, item in enumerate(cast("list[object]", value))]
    return []


def _pointers(value: object, pointer: str) -> Iterator[str]:
    yield pointer
    for step, _, child in _children(value):
        yield from _pointers(child, f"{pointer}/{step}")


def _lines(
    value: object, notes: Notes, *, pointer: str = "", label: str = "", end: str = "", indent: int = 0
) -> Iterator[Line]:
    found = tuple(notes.get(pointer, ()))
    children = _children(value)
    if not children:
        yield Line(indent, f"{label}{_scalar(value)}{end}", found)
        return
    opening, closing = ("[", "]") if isinstance(value, list) else ("{", "}")
    yield Line(indent, label + opening, found)
    for position, (step, name, child) in enumerate(children, 1):
        comma = "" if position == len(children) else ","
        yield from _lines(child, notes, pointer=f"{pointer}/{step}", label=name, end=comma, indent=indent + 1)
    yield Line(indent, closing + end)


def _scalar(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Members):
        return "{}"
    if isinstance(value, str):
        text = redact_text(value)
        return json.dumps(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…", ensure_ascii=False)
    return json.dumps(value)
