"""The headline is true: a report without changes means that nothing changed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare

from .conftest import BASE
from .small_documents import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Path = tuple[str | int, ...]
IMPLIED = {"type", "required"}
"""A type that other keywords imply; a parameter of a path is required, whatever the document says."""
WITHOUT_MEANING = {
    # `items` is an empty schema there, which permits what its absence permits.
    ("components", "schemas", "NewFilm", "properties", "labels", "items"),
    # In a deepObject, every member has a key of its own anyway.
    ("paths", "/films", "get", "parameters", 2, "explode"),
}


def parts(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every member and item."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield (*path, step)
        yield from parts(member, (*path, step))


def edited(path: Path, *, drop: bool) -> dict[str, Any]:
    """The corpus's document without one part, or with another value there."""
    result: Any = copy.deepcopy(BASE)
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if drop:
        del holder[path[-1]]
    elif isinstance(value, bool):
        holder[path[-1]] = not value
    else:
        holder[path[-1]] = f"{value}x" if isinstance(value, str) else 7
    return dict(result)


@pytest.mark.parametrize("drop", [True, False], ids=["removed", "replaced"])
def test_every_edit_is_reported(*, drop: bool) -> None:
    """Each part of a document is removed or replaced, one at a time."""
    silent: list[Path] = []
    for path in parts(BASE):
        comparison = compare(BASE, edited(path, drop=drop))
        if not comparison.changes and not comparison.not_compared:
            silent.append(path)
    assert [path for path in silent if path not in WITHOUT_MEANING and path[-1] not in IMPLIED] == []


@pytest.mark.parametrize(
    ("section", "holder"),
    [("examples", lambda reference: {"content": {"text/plain": {"examples": reference}}}), ("links", None)],
)
def test_what_only_a_reference_shows(section: str, holder: Callable[[Any], Any] | None) -> None:
    """An example or a link in the components is a text of what refers to it."""

    def used(**components: Any) -> dict[str, Any]:
        reference = {"one": {"$ref": f"#/components/{section}/One"}}
        response = {"description": "", **(holder(reference) if holder else {section: reference})}
        return document({"/films": {"get": {"responses": {"200": response}}}}, components={section: components})

    old, new = used(One={"description": "a"}), used(One={"description": "b"})
    for pair in ((old, new), (old, used()), (used(), new)):
        (change,) = compare(*pair).changes
        assert (change.subject.component, change.rating) == (f"/components/{section}/One", Rating.DOCUMENTATION)


CALLBACK = {"post": {"responses": {"200": {"description": ""}}}}


def with_callback(**urls: Any) -> dict[str, Any]:
    """A document with an operation that has a callback with some URLs."""
    definition = {"callbacks": {"done": urls}, "responses": {"200": {"description": ""}}}
    return document({"/films": {"post": definition}})


@pytest.mark.parametrize("other", [{}, {"a": CALLBACK}], ids=["all", "one of two"])
def test_a_callback_loses_a_url(other: dict[str, Any]) -> None:
    """What is no longer sent there is missed, and a new URL is reported."""
    old, new = with_callback(**other, b=CALLBACK), with_callback(**other)
    (change,) = compare(old, new).changes
    assert (change.rule, change.rating) == ("operation-removed", Rating.BREAKING)
    (change,) = compare(new, old).changes
    assert change.rule == "operation-added"


def test_a_scheme_that_is_required_and_gone() -> None:
    """What the requirement means is unknown, in the document that does not define it."""
    paths = {"/films": {"get": {"security": [{"key": []}], "responses": {"200": {"description": ""}}}}}
    scheme = {"type": "apiKey", "in": "header", "name": "X-Key"}
    old, new = document(paths, components={"securitySchemes": {"key": scheme}}), document(paths)
    for pair, role in (((old, new), "new"), ((new, old), "old")):
        (part,) = compare(*pair).not_compared
        assert (part.document, part.pointer) == (role, "/paths/~1films/get/security")
        assert "`key`" in part.reason
    assert compare(new, new).not_compared == ()


def test_a_variable_takes_any_value() -> None:
    """It is as safe as a further value; the reverse may take away the server that an app uses."""

    def server(**variable: Any) -> dict[str, Any]:
        return document(servers=[{"url": "https://{host}/", "variables": {"host": {"default": "a", **variable}}}])

    old, new = server(enum=["a", "b"]), server()
    (change,) = compare(old, new).changes
    assert (change.rule, change.rating, change.new) == ("server-variable-value-added", Rating.SAFE, "any")
    (change,) = compare(new, old).changes
    assert (change.rule, change.rating) == ("server-variable-value-removed", Rating.BREAKING)
    (change,) = compare(old, server(enum=["a", "b"], description="Where.")).changes
    assert change.rating is Rating.DOCUMENTATION
