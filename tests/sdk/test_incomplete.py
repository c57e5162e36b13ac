"""The repr of an object whose constructor has failed works: error reporters show it as a variable."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

import pytest
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove
from msgspec import Struct

from tests.shown import frames_of

MODULES = (
    "contentgroove",
    "contentgroove.checkpoints",
    "contentgroove.errors",
    "contentgroove.models",
    "contentgroove.types",
    "contentgroove.webhooks",
    "contentgroove.webhooks.inbox",
    "contentgroove.tools",
    "contentgroove_mock",
    "contentgroove_mock.contract",
    "contentgroove_api",
    "contentgroove_api.client",
)


def public_classes() -> dict[str, type]:
    """Return all classes that applications can create, by name."""
    found: dict[str, type] = {}
    for module_name in MODULES:
        module = import_module(module_name)
        for name in getattr(module, "__all__", None) or vars(module):
            value = getattr(module, name)
            # Structs, tuples and dataclasses are created complete.
            usual = inspect.isclass(value) and not issubclass(value, Struct | tuple) and not is_dataclass(value)
            if usual and value.__module__.startswith("contentgroove"):
                found[f"{module_name}.{name}"] = value
    return found


CLASSES = public_classes()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_incomplete_objects_have_a_repr(name: str) -> None:
    """`__new__` without `__init__` is what a failed constructor leaves."""
    kind: Any = CLASSES[name]
    if inspect.isabstract(kind) or getattr(kind, "_is_protocol", False):
        return
    created = kind.__new__(kind)
    assert isinstance(repr(created), str)
    assert isinstance(str(created), str)


def test_the_classes_are_found() -> None:
    """A new package or a renamed list would make the test above empty."""
    names = {name.rpartition(".")[2] for name in CLASSES}
    assert {"ContentGroove", "Media", "Page", "WebhookReceiver", "SQLiteInbox", "RawResponse", "Simulator"} <= names


@pytest.mark.parametrize("kind", [ContentGroove, AsyncContentGroove])
def test_a_client_whose_constructor_fails(kind: Any) -> None:
    """It is a variable of the frame that raises."""
    with pytest.raises(ConfigurationError) as caught:
        kind("a-key", "https://api.contentgroove.test", timeout=-1)
    clients = [frame.f_locals["self"] for frame in frames_of(caught.value) if "self" in frame.f_locals]
    assert [repr(client) for client in clients] == [f"<{kind.__name__}, incomplete>"]
    assert repr(kind("a-key", "https://api.contentgroove.test")) == (
        f"{kind.__name__}(base_url='https://api.contentgroove.test')"
    )
