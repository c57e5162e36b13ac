"""The caller of an operation: the running test, and the line of the application or test that made the call."""

from __future__ import annotations

import inspect
import os
import site
import sys
import sysconfig
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def find_caller() -> str | None:
    """Return the running test and the innermost line that belongs to neither Python, a library nor this project.

    A server in another thread has no caller on its own stack: there, the line is the main thread's, which waits for the
    response. None if neither is known.
    """
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    line = _code_location(inspect.currentframe())
    if line is None:
        main = threading.main_thread().ident
        # Documented despite its underscore: the only access to another thread's stack.
        frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        line = _code_location(frames.get(main) if main is not None else None)
    if test and line:
        return f"{test}, at {line}"
    return test or line


def _code_location(frame: FrameType | None) -> str | None:
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<") and _is_user_code(name):
            path = Path(name)
            here = Path.cwd()
            return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{frame.f_lineno}"
        frame = frame.f_back
    return None


@cache
def _is_user_code(name: str) -> bool:
    path = Path(name).resolve()
    return not any(path.is_relative_to(folder) for folder in _libraries())


@cache
def _libraries() -> tuple[Path, ...]:
    import contentgroove
    import contentgroove_api

    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    packages = {Path(__file__).parents[1]}
    for package in (contentgroove, contentgroove_api):
        packages.add(Path(str(package.__file__)).parent)
    return tuple(Path(folder).resolve() for folder in folders if folder) + tuple(packages)
