"""Where uploads keep how far they are: in files, in PostgreSQL, or in a store of your own.

`PostgresCheckpoints` lets several machines share one job of `upload_many`::

    with PostgresCheckpoints("host=db dbname=videos", job="summer") as checkpoints:
        for result in client.medias.upload_many(files, checkpoints=checkpoints, identify="description"):
            print(result.file, result.media or result.error)

Any object with the methods of `Checkpoints`, whose stores have those of `CheckpointStore`, can be passed, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._core.io import CheckpointStore, CheckpointWriteError
    from ._io.checkpoint_folders import Checkpoints, FileCheckpoints
    from ._io.checkpoint_store import FileCheckpointStore
    from ._io.postgres_checkpoints import JobResult, PostgresCheckpoints, PostgresCheckpointStore

_HOMES = {
    "CheckpointStore": "._core.io",
    "CheckpointWriteError": "._core.io",
    "Checkpoints": "._io.checkpoint_folders",
    "FileCheckpointStore": "._io.checkpoint_store",
    "FileCheckpoints": "._io.checkpoint_folders",
    "JobResult": "._io.postgres_checkpoints",
    "PostgresCheckpointStore": "._io.postgres_checkpoints",
    "PostgresCheckpoints": "._io.postgres_checkpoints",
}

__all__ = [
    "CheckpointStore",
    "CheckpointWriteError",
    "Checkpoints",
    "FileCheckpointStore",
    "FileCheckpoints",
    "JobResult",
    "PostgresCheckpointStore",
    "PostgresCheckpoints",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name], __package__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
