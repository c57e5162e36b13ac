"""Which fields of the contract a program reads from the SDK's models."""

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

_VIEW = "contentgroove._model_base"
_ABOUT_FIELDS = frozenset({"fields_set", "extra"})


@contextlib.contextmanager
def recorded_reads(reads: set[str]) -> Generator[None]:
    """Record each attribute that is read from a model, as `Media.name`, until the context is left."""
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
    """Tell which fields of a resource's schema an attribute stands for, as JSON pointers.

    Args:
        read: Such as `Media.is_finished`, which is told from the field `is_processing`.
        properties: The properties of the resource's schema.
    """
    model_name, _, name = read.partition(".")
    model = next(model for model in MODELS if model.__name__ == model_name)
    getter = inspect.unwrap(cast("Callable[[Any], Any]", vars(model)[name].fget))
    # The names that the getter looks up are those of the wire model, and so of the contract.
    mentioned = set(getter.__code__.co_names)
    return [pointer for pointer, field in _fields(properties) if field in mentioned]


def _fields(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, schema in properties.items():
        if name in {"attributes", "relationships"}:
            yield from ((f"/{name}/{inner}", inner) for inner in schema.get("properties", {}))
        else:
            yield f"/{name}", name


def _is_user_code(frame: FrameType | None) -> bool:
    """Tell whether a program asks, not the SDK: `to_dict` asks for whoever called it, a wait for itself."""
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
