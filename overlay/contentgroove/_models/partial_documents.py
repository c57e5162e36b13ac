"""Reading responses that match the contract only in parts: resources by their ids, lists item by item.

The contract was never compared with the live service (assumed: attributes-present, members-unknown-later), and a
response can be the only thing that names the id of something paid for. So a resource needs no more than what the next
call needs; its other fields are read one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from contentgroove_api.types import check_levels, decoder

from .base import JsonSource, Model
from .pages import Page, UnreadableItem
from .partial_structs import (
    BOM,
    DECODE_ERRORS,
    UnreadableError,
    elements,
    json_kind,
    log_once,
    member,
    members,
    without_half_characters,
)

if TYPE_CHECKING:
    from contentgroove_api.models.links import Links

M = TypeVar("M", bound=Model[Any])

_PATH = ("data",)


def read_resource(model: type[M], content: bytes, problem: str) -> M:
    """Read a document of one resource; `problem` is why it could not be decoded as a whole.

    Raises:
        UnreadableError: It is not JSON, or has no readable id, or lacks what else the next call needs.
    """
    content = without_half_characters(content.removeprefix(BOM))
    data = member(_document(content), "data")
    try:
        found = model._read(data, JsonSource(content, _PATH))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - applications have no JSON of single resources
    except UnreadableError as error:
        raise UnreadableError(f"in data, {error}") from None
    if isinstance(found._wire, msgspec.Struct):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
        # The resource is as it should be, so it is the rest of the document that is not.
        log_once(model.__name__, "links", f"A document of {model.__name__}", problem)
    return found


def read_page(model: type[M], content: bytes, number: int) -> Page[M]:
    """Read a page, without the items that have no readable id.

    Raises:
        UnreadableError: It is not JSON, or has no list of items.
    """
    content = without_half_characters(content.removeprefix(BOM))
    document = _document(content)
    parts = elements(member(document, "data"), "data")
    items, unreadable = _items(model, parts, JsonSource(content, _PATH))
    return Page(items, number, _links(document, model.__name__), unreadable)


def _items(
    model: type[M], parts: list[msgspec.Raw], source: JsonSource
) -> tuple[tuple[M, ...], tuple[UnreadableItem, ...]]:
    items: list[M] = []
    unreadable: list[UnreadableItem] = []
    for index, part in enumerate(parts):
        try:
            items.append(model._read(part, source, index))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
        except UnreadableError as error:
            unreadable.append(unreadable_item(index, str(error), part, model.__name__))
    return tuple(items), tuple(unreadable)


def unreadable_item(index: int, reason: str, content: msgspec.Raw, model: str) -> UnreadableItem:
    """Describe an item of a list that cannot be read, and log it once for each kind of list."""
    log_once(model, "[]", f"Item {index} of a list ({model})", f"{reason}, so it is left out")
    return UnreadableItem(index, reason, bytes(content))


def _document(content: bytes) -> dict[str, msgspec.Raw]:
    try:
        check_levels(content)
        return decoder(dict[str, msgspec.Raw]).decode(content)
    except msgspec.ValidationError:
        raise UnreadableError(f"the body is {json_kind(content)}, not an object") from None
    except DECODE_ERRORS as error:
        raise UnreadableError(str(error) or "it is empty") from None


def _links(document: dict[str, msgspec.Raw], model: str) -> Links | None:
    """Read the links; None if they do not say whether there is a next page."""
    from contentgroove_api.models.links import Links

    content = document.get("links")
    if content is None:
        log_once(model, "links", f"A list ({model})", "links is absent")
        return None
    try:
        return decoder(Links).decode(content)
    except DECODE_ERRORS as error:
        log_once(model, "links", f"A list ({model})", f"in links: {error}")
    try:
        following = bytes(members(content, "links")["next"])
        return decoder(Links).decode(b'{"self": "", "next": %b}' % following)
    except (KeyError, UnreadableError, *DECODE_ERRORS):
        return None
