"""Record exchanges with the service, and replay them.

A session is what a program and the service exchange. `proxy` passes it on and records it, `replay` responds from it,
and `commands` runs both for `contentgroove mock`. `sessions` has the file's format, `session_scrubbing` removes
credentials.

`serve_recording` and `Replay` are for programs and tests.

`python -m contentgroove_mock.recording` records one scrubbed file for each documented exchange, and is not part of the
installed package. `recordings` has the files' format and their folder, `contract` the parts of the contract that they
depend on, `journey` the requests, `recorder` the walk through them, `scrubbing` the removal of private data, and
`targets` the two services that exchanges are recorded with.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contentgroove_mock.recording.proxy import Outcome, aserve_recording, serve_recording
    from contentgroove_mock.recording.recordings import RecordingError
    from contentgroove_mock.recording.replay import Replay

__all__ = ["Outcome", "RecordingError", "Replay", "aserve_recording", "serve_recording"]

_HOMES = {
    "Outcome": "proxy",
    "RecordingError": "recordings",
    "Replay": "replay",
    "aserve_recording": "proxy",
    "serve_recording": "proxy",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from contentgroove._extras import import_needs

    with import_needs(f"{__name__}.{name}", "mock"):
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value
