"""Recording which fields of the contract an application reads from the SDK's models."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

from contentgroove import models

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from types import FrameType

MODELS: tuple[type[Any], ...] = (
    models.Media,
    models.Clip,
    models.Transcription,
    models.WebhookSubscription,
    models.DirectUpload,
)

_VIEW = "contentgroove._view"
_ABOUT_FIELDS = frozenset({"fields_set", "extra"})


@contextlib.contextmanager
def recorded_reads(reads: set[str]) -> Generator[None]:
    """Record each attribute that is read from a model, as `Media.name`, while the context is entered."""
    undo: list[tuple[type[Any], str, property]] = []
    for model in MODELS:
        for name, attribute in list(vars(model).items()):
            if isinstance(attribute, property) and name not in _ABOUT_FIELDS:
                undo.append((model, name, attribute))
                setattr(model, name, _recording(attribute, f"{model.__name__}.{name}", reads))
    try:
        yield
    finally:
        for model, name, attribute in undo:
            setattr(model, name, attribute)


def fields_of(read: str, properties: Mapping[str, Any]) -> list[str]:
    """Return the fields of a resource's schema that an attribute is computed from, as JSON pointers.

    Args:
        read: The attribute, such as `Media.is_finished`, which is computed from the field `is_processing`.
        properties: The properties of the resource's schema.
    """
    model_name, _, name = read.partition(".")
    model = next(model for model in MODELS if model.__name__ == model_name)
    getter = inspect.unwrap(cast("Callable[[Any], Any]", vars(model)[name].fget))
    # The getter looks up names of the generated struct, which are those of the contract.
    mentioned = set(getter.__code__.co_names)
    return [pointer for pointer, field in _fields(properties) if field in mentioned]


def _fields(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, schema in properties.items():
        if name in {"attributes", "relationships"}:
            yield from ((f"/{name}/{inner}", inner) for inner in schema.get("properties", {}))
        else:
            yield f"/{name}", name


def _is_user_code(frame: FrameType | None) -> bool:
    """Return whether an attribute is read by an application: directly or by `to_dict`, but not by a wait of the SDK."""
    caller = None if frame is None else frame.f_back
    while caller is not None and caller.f_globals.get("__name__") == _VIEW:
        caller = caller.f_back
    name = "" if caller is None else str(caller.f_globals.get("__name__", ""))
    return name.partition(".")[0] != "contentgroove"


def _recording(attribute: property, read: str, reads: set[str]) -> property:
    getter = cast("Callable[[Any], Any]", attribute.fget)

    @functools.wraps(getter)
    def recording(self: Any) -> Any:
        if _is_user_code(inspect.currentframe()):
            reads.add(read)
        return getter(self)

    return property(recording, doc=attribute.__doc__)
