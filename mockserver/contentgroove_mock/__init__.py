"""A mock of the ContentGroove service, to develop and test against without a key or a network.

`Simulator` is an ASGI application that behaves like the service, on a clock that a test can move; `serve` puts it
on a local port. `factories` make models for tests that need neither. `Prism` runs the program of that name, which
serves the contract's examples or checks a service against the contract. Names are imported when they are first used, so
that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contentgroove_mock import factories
    from contentgroove_mock.prism import Prism, PrismError
    from contentgroove_mock.simulator.clock import ManualClock, SystemClock
    from contentgroove_mock.simulator.core.faults import Fault
    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.files import sample_video
    from contentgroove_mock.simulator.server import Server, aserve, serve
    from contentgroove_mock.simulator.simulator import Simulator

__all__ = [
    "Fault",
    "ManualClock",
    "Policy",
    "Prism",
    "PrismError",
    "Server",
    "Simulator",
    "SystemClock",
    "aserve",
    "factories",
    "sample_video",
    "serve",
]

_MODULES = {
    "prism": ("Prism", "PrismError"),
    "simulator.clock": ("ManualClock", "SystemClock"),
    "simulator.core.faults": ("Fault",),
    "simulator.core.policies": ("Policy",),
    "simulator.files": ("sample_video",),
    "simulator.server": ("Server", "aserve", "serve"),
    "simulator.simulator": ("Simulator",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "factories":
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from contentgroove._extras import import_needs

    with import_needs(f"{__name__}.{name}", "mock"):
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
