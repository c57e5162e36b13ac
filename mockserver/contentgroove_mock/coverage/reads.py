"""Which fields of the contract a program reads from the SDK's models."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from contentgroove import models

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

MODELS: tuple[type[Any], ...] = (
    models.Media,
    models.Clip,
    models.Transcription,
    models.WebhookSubscription,
    models.DirectUpload,
)


@contextlib.contextmanager
def recorded(reads: set[str]) -> Generator[None]:
    """Record each attribute that is read from a model, as `Media.name`, until the context is left."""
    undo: list[tuple[type[Any], str, property]] = []
    for model in MODELS:
        for name, attribute in list(vars(model).items()):
            if isinstance(attribute, property) and not name.startswith("_"):
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
    attribute = cast("property", vars(model)[name])
    getter = attribute.fget
    # The names that the getter looks up are those of the wire model, and so of the contract.
    mentioned = set(getter.__code__.co_names) if getter is not None else set[str]()
    return [pointer for pointer, field in _fields(properties) if field in mentioned]


def _fields(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, schema in properties.items():
        if name in {"attributes", "relationships"}:
            yield from ((f"/{name}/{inner}", inner) for inner in schema.get("properties", {}))
        else:
            yield f"/{name}", name


def _recording(attribute: property, read: str, reads: set[str]) -> property:
    getter = cast("Callable[[Any], Any]", attribute.fget)

    def recording(self: Any) -> Any:
        reads.add(read)
        return getter(self)

    return property(recording, doc=attribute.__doc__)
